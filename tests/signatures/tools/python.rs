//! Python's sigstore judges the bundles of our tests as smcp does.
//!
//! What smcp takes, it takes, too; what it refuses, smcp refuses. smcp may be stricter: a proof that is there and wrong is a
//! refusal to smcp even beside others.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::TestBed;
use crate::guest::Twin;
use crate::sigstore::Wish;
use crate::sigstore::World;

const IDENTITY: &str = "dev@acme.example";
const ISSUER: &str = "https://issuer.test";
/// The version that is held against smcp.
const SIGSTORE: &str = "sigstore==4.5.1";

/// Installs Python's sigstore into `target`, once; the reason when that can't be done here.
fn python() -> Result<std::path::PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/languages/sigstore");
    let python = folder.join("bin/python3");
    let run = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if run(Command::new(&python).args(["-c", "import sigstore.verify"])) {
        return Ok(python);
    }
    if !run(Command::new("python3").args(["-m", "venv"]).arg(&folder)) {
        return Err("this machine has no Python 3 with venv".to_owned());
    }
    match run(Command::new(&python).args(["-m", "pip", "--quiet", "install", SIGSTORE])) {
        true => Ok(python),
        false => Err(format!("{SIGSTORE} can't be installed")),
    }
}

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

fn set(bundle: &Value, path: &str, value: Value) -> Value {
    let mut bundle = bundle.clone();
    *bundle.pointer_mut(path).unwrap() = value;
    bundle
}

fn without(bundle: &Value, path: &str, key: &str) -> Value {
    let mut bundle = bundle.clone();
    bundle.pointer_mut(path).unwrap().as_object_mut().unwrap().remove(key).unwrap();
    bundle
}

/// Bundles by name; those that begin with `good` are in order.
fn bundles(world: &World, bytes: &[u8]) -> BTreeMap<String, Value> {
    let wish = || Wish::of(IDENTITY, ISSUER);
    let mut all = BTreeMap::new();
    let mut add = |name: &str, bundle: Value| drop(all.insert(name.to_owned(), bundle));
    for generation in [1, 2] {
        let name = |what: &str| format!("{what}-{generation}");
        let good = world.sign(&Wish { generation, ..wish() }, bytes);
        let other = world.sign(&Wish { generation, ..wish() }, bytes);
        add(&name("good"), good.clone());
        add(&name("last-second"), world.sign(&Wish { generation, signs_after: 600, ..wish() }, bytes));
        add(&name("expired"), world.sign(&Wish { generation, signs_after: 601, ..wish() }, bytes));
        add(&name("unpromised"), world.sign(&Wish { generation, promised: false, ..wish() }, bytes));
        add(&name("other-bytes"), world.sign(&Wish { generation, ..wish() }, b"other"));
        add(&name("prefix"), world.sign(&Wish { generation, ..Wish::of("dev@acme.example.test", ISSUER) }, bytes));
        add(&name("issuer"), world.sign(&Wish { generation, ..Wish::of(IDENTITY, "https://issuer.test/") }, bytes));
        add(&name("other-world"), World::new().sign(&Wish { generation, ..wish() }, bytes));
        let usage = rcgen::ExtendedKeyUsagePurpose::ServerAuth;
        add(&name("for-servers"), world.sign(&Wish { generation, usage, ..wish() }, bytes));
        add(&name("entry"), set(&good, ENTRY, other.pointer(ENTRY).unwrap().clone()));
        add(&name("signature"), set(&good, "/messageSignature", other["messageSignature"].clone()));
        let certificate = "/verificationMaterial/certificate";
        add(&name("certificate"), set(&good, certificate, other.pointer(certificate).unwrap().clone()));
        add(&name("no-entry"), set(&good, "/verificationMaterial/tlogEntries", json!([])));
        add(&name("no-proof"), without(&good, ENTRY, "inclusionProof"));
        add(&name("shorter-proof"), set(&good, &format!("{ENTRY}/inclusionProof/hashes"), json!([])));
        let head = good.pointer(&format!("{ENTRY}/inclusionProof/checkpoint/envelope")).unwrap().as_str().unwrap();
        let larger = head.replacen("\n5\n", "\n6\n", 1);
        add(&name("head"), set(&good, &format!("{ENTRY}/inclusionProof/checkpoint/envelope"), larger.into()));
        add(&name("key"), world.sign_with(&rcgen::KeyPair::generate().unwrap(), bytes, false));
    }
    let first = world.sign(&wish(), bytes);
    add("no-promise", without(&first, ENTRY, "inclusionPromise"));
    add("another-time", set(&first, &format!("{ENTRY}/integratedTime"), "1767225606".into()));
    let second = world.sign(&Wish { generation: 2, ..wish() }, bytes);
    let stamps = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
    add("no-stamp", set(&second, stamps, json!([])));
    let other = world.sign(&Wish { generation: 2, ..wish() }, bytes);
    add("stamp", set(&second, stamps, other.pointer(stamps).unwrap().clone()));
    add("media-type", set(&first, "/mediaType", "application/json".into()));
    all
}

#[test]
fn pythons_sigstore_agrees() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: {why}");
            return;
        }
    };
    let (bed, world, bytes) = (TestBed::new(), World::new(), Twin::honest().component());
    bed.configure("");
    bed.write("artifact", &bytes);
    bed.write("root.json", world.root().to_string());
    let bundles = bundles(&world, &bytes);
    for (name, bundle) in &bundles {
        bed.write(&format!("{name}.sigstore.json"), bundle.to_string());
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("tests/signatures/tools/judge.py");
    let mut judge = Command::new(python);
    let output = judge.arg(script).arg(bed.path("")).args([IDENTITY, ISSUER]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let theirs: BTreeMap<&str, &str> = said.lines().filter_map(|line| line.split_once('\t')).collect();
    assert_eq!(theirs.len(), bundles.len(), "{}", String::from_utf8_lossy(&output.stderr));
    for name in bundles.keys() {
        bed.write(&format!("{name}.wasm"), &bytes);
        std::fs::rename(bed.path(&format!("{name}.sigstore.json")), bed.path(&format!("{name}.wasm.sigstore.json")))
            .unwrap();
        let line =
            format!("policy verify {name}.wasm --issuer {ISSUER} --identity {IDENTITY} --trusted-root root.json");
        let ours = bed.run(&line);
        let is_good = name.starts_with("good") || name.starts_with("last-second");
        assert_eq!(ours.code, if is_good { 0 } else { 3 }, "{name}: {ours}");
        let their = theirs[name.as_str()];
        assert!(ours.code != 0 || their == "ok", "{name}: smcp takes it, and Python's sigstore says {their}");
    }
}
