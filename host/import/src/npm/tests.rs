//! What is taken of npm's lock; whole imports are in `tests/import`.

use super::*;

fn entry(entry: Value) -> Result<LockedPackage, String> {
    locked("node_modules/x", &entry).map_err(|error| error.to_string())
}

#[test]
fn only_what_decides_about_the_tree_is_kept() {
    let integrity = "sha512-AAAAAAAAAAAAAAAAAAAAAA==";
    let package = entry(json!({
        "version": "1.0.0", "integrity": integrity, "license": "MIT", "funding": {"url": "x"}, "engines": {"node": ">=18"},
        "bin": {"x": "x.js"}, "dependencies": {"y": "^1"}, "optional": true, "os": ["linux"],
    }));
    let package = package.unwrap();
    let keys: Vec<&str> = package.npm.keys().map(String::as_str).collect();
    assert_eq!(keys, ["version", "integrity", "optional", "dependencies", "os"]);
    assert_eq!((package.name.as_str(), package.integrity.as_deref()), ("x", Some(integrity)));
    let alias = entry(json!({"name": "real", "version": "1.0.0", "integrity": integrity})).unwrap();
    assert_eq!(alias.name, "real");
    assert_eq!(entry(json!({"version": "1.0.0", "inBundle": true})).unwrap().integrity, None);
}

#[test]
fn what_has_no_integrity_is_refused() {
    for (found, reason) in [
        (json!({"resolved": "../x", "link": true}), "is a link to a folder"),
        (json!({"version": "1.0.0", "resolved": "git+ssh://git@x.example/y.git#1"}), "comes from git+ssh"),
        (json!({"version": "1.0.0"}), "comes from somewhere"),
        (json!({"integrity": "sha512-AAAAAAAAAAAAAAAAAAAAAA=="}), "no version"),
        (json!([]), "no version"),
    ] {
        let error = entry(found).unwrap_err();
        assert!(error.contains(reason), "{error}");
    }
}

#[test]
fn a_lock_is_for_one_package_and_one_platform() {
    let platform = |libc: &str| LockPlatform {
        os: "linux".to_owned(),
        arch: "amd64".to_owned(),
        libc: Some(libc.to_owned()),
        python: None,
    };
    let lock = ImportLock {
        kind: "npm".to_owned(),
        name: "x".to_owned(),
        version: "1.0.0".to_owned(),
        integrity: String::new(),
        bin: None,
        extras: Vec::new(),
        platform: platform("glibc"),
        packages: Vec::new(),
    };
    assert!(check(&lock, "x", None, &platform("glibc")).is_ok());
    assert!(check(&lock, "x", Some("1.0.0"), &platform("glibc")).is_ok());
    for (name, wanted, libc, reason) in [
        ("y", None, "glibc", "it is of npm:x@1.0.0"),
        ("x", Some("2.0.0"), "glibc", "it is of npm:x@1.0.0"),
        ("x", None, "musl", "it is for linux/amd64, glibc, and this is linux/amd64, musl"),
    ] {
        let error = check(&lock, name, wanted, &platform(libc)).unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
    }
}
