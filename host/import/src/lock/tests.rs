//! Locks as they are written, and what is made of others.

use super::*;

fn lock() -> Value {
    let integrity = format!("sha512-{}==", "A".repeat(86));
    json!({
        "schema": "smcp.source/1", "kind": "npm", "name": "@acme/tool", "version": "1.0.0", "integrity": integrity,
        "bin": "tool", "platform": {"os": "linux", "arch": "amd64", "libc": "glibc"},
        "packages": [
            {"path": "node_modules/@acme/tool", "name": "@acme/tool", "version": "1.0.0", "integrity": integrity,
             "npm": {"version": "1.0.0", "integrity": integrity, "dependencies": {"x": "^1"}}},
            {"path": "node_modules/x", "name": "x", "version": "1.0.0", "absent": true,
             "npm": {"version": "1.0.0", "inBundle": true}},
        ],
    })
}

#[test]
fn a_lock_reads_as_it_was_written() {
    let read = ImportLock::read(lock().to_string().as_bytes()).unwrap();
    assert_eq!(read.document(), lock());
    assert!(read.packages[1].absent && read.packages[1].says("inBundle"));
    assert_eq!(read.platform.to_string(), "linux/amd64, glibc");
}

#[test]
fn a_lock_can_name_nothing_that_a_client_would_take_for_something_else() {
    let integrity = lock()["integrity"].clone();
    for (pointer, value) in [
        ("/schema", json!("smcp.source/2")),
        ("/kind", json!("gem")),
        ("/name", json!("../evil")),
        ("/version", json!("file:../evil")),
        ("/integrity", json!("md5-aaaa")),
        ("/integrity", json!("")),
        ("/packages/0/path", json!("../evil")),
        ("/packages/0/path", json!("node_modules/../../evil")),
        ("/packages/0/path", json!("lib/evil")),
        ("/packages/0/name", json!("-g")),
        ("/packages/0/version", json!("git+ssh://x")),
        ("/packages/0/integrity", json!("none")),
        ("/packages/0/integrity", Value::Null),
        ("/packages/0/npm/integrity", json!(integrity.as_str().unwrap().replace('A', "B"))),
        ("/packages/0/npm/resolved", json!("file:../evil")),
        ("/packages/0/npm/resolved", json!("git+ssh://git@x.example/y")),
    ] {
        let mut changed = lock();
        if let Some(place) = changed.pointer_mut(pointer) {
            *place = value.clone();
        } else {
            let (above, key) = pointer.rsplit_once('/').unwrap();
            changed.pointer_mut(above).unwrap()[key] = value.clone();
        }
        assert!(ImportLock::read(changed.to_string().as_bytes()).is_err(), "{pointer}: {value}");
    }
}

#[test]
fn a_lock_that_says_two_things_of_one_is_refused_as_wrong_bytes_are() {
    let integrity = lock()["integrity"].as_str().unwrap().replace('A', "B");
    let own = lock()["packages"][0].clone();
    for (pointer, value, expected) in [
        ("/integrity", json!(integrity), ExitKind::Integrity),
        ("/version", json!("2.0.0"), ExitKind::Integrity),
        ("/name", json!("@acme/other"), ExitKind::Usage),
        ("/packages/0/version", json!("2.0.0"), ExitKind::Integrity),
        ("/packages/0/name", json!("@acme/other"), ExitKind::Integrity),
        ("/packages/0/npm/name", json!("@evil/tool"), ExitKind::Integrity),
        ("/packages/1/version", json!("2.0.0"), ExitKind::Integrity),
        ("/packages/1/npm/version", json!("2.0.0"), ExitKind::Integrity),
        ("/packages/1", own, ExitKind::Integrity),
        ("/packages/0/integrity", json!(integrity), ExitKind::Integrity),
        ("/packages", json!({}), ExitKind::Usage),
        ("/packages", json!([]), ExitKind::Usage),
        ("/extras", json!([1]), ExitKind::Usage),
        ("/extra", json!([]), ExitKind::Usage),
        ("/platform/cpu", json!("x"), ExitKind::Usage),
        ("/packages/1/resolved", json!("https://x.example"), ExitKind::Usage),
        ("/packages/1/npm/scripts", json!({}), ExitKind::Usage),
    ] {
        let mut changed = lock();
        let (above, key) = pointer.rsplit_once('/').unwrap();
        match changed.pointer_mut(pointer) {
            Some(place) => *place = value.clone(),
            None => changed.pointer_mut(above).unwrap()[key] = value.clone(),
        }
        let error = ImportLock::read(changed.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.exit_kind(), expected, "{pointer}: {value}: {error}");
    }
}

#[test]
fn integrities_are_those_of_the_registries() {
    let sha512 = format!("sha512-{}==", "a".repeat(86));
    let both = format!("{sha512} {sha512}");
    let sha256 = format!("sha256:{}", "0".repeat(64));
    for good in [sha512.as_str(), both.as_str(), sha256.as_str(), "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="] {
        assert!(is_integrity(good), "{good}");
    }
    for bad in ["", "sha512-", "md5-1B2M2Y8AsgTpgAmY7PhCfg==", "sha256:00", "sha512-ééééééééééééééééééééé", "none"]
    {
        assert!(!is_integrity(bad), "{bad}");
    }
}
