//! minisign uses our keys and signatures, and we use its.

use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::guest::Twin;

/// Runs minisign in the bed with what it asks for on standard input; returns whether it succeeds.
fn minisign(bed: &TestBed, line: &str, typed: &str) -> bool {
    let mut command = Command::new("minisign");
    command.args(line.split(' ')).current_dir(bed.path("")).env("HOME", bed.path(""));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

/// Whether minisign is not there, which is said.
fn is_missing() -> bool {
    let is_missing = Command::new("minisign").arg("-v").output().is_err();
    if is_missing {
        // Said whether the test passes or not.
        let _ = writeln!(std::io::stderr(), "skipped: minisign is not installed (Debian's package `minisign`)");
    }
    is_missing
}

#[test]
fn the_real_minisign_and_smcp_read_one_another() {
    if is_missing() {
        return;
    }
    let bed = TestBed::new();
    bed.configure("");
    bed.write("policy.wasm", Twin::honest().component());
    let smcp = |line: &str| bed.smcp(line).env("SMCP_SIGNING_PASSWORD", "of a test").run();
    // Our key and signature.
    smcp("policy sign --new-key ours policy.wasm").succeeds();
    assert!(minisign(&bed, "-V -m policy.wasm -p .mcp/keys/ours.pub", ""));
    // Our key, its signature.
    assert!(minisign(&bed, "-S -m policy.wasm -s .mcp/keys/ours.key", "of a test\n"));
    smcp("policy verify policy.wasm --signed-by .mcp/keys/ours.pub").succeeds();
    assert!(!minisign(&bed, "-S -m policy.wasm -s .mcp/keys/ours.key", "of a text\n"));
    smcp("policy sign --new-key open --no-password").succeeds();
    assert!(minisign(&bed, "-S -m policy.wasm -s .mcp/keys/open.key", ""));
    smcp("policy verify policy.wasm --signed-by .mcp/keys/open.pub").succeeds();
    // Its keys, with a password at its own cost and without one; our signature.
    assert!(minisign(&bed, "-G -s theirs.key -p theirs.pub", "of a test\nof a test\n"));
    smcp("policy sign policy.wasm --key ./theirs.key").succeeds();
    assert!(minisign(&bed, "-V -m policy.wasm -p theirs.pub", ""));
    assert!(minisign(&bed, "-G -W -s bare.key -p bare.pub", ""));
    smcp("policy sign policy.wasm --key ./bare.key").succeeds();
    assert!(minisign(&bed, "-V -m policy.wasm -p bare.pub", ""));
    // Its legacy form is refused by name, and by nothing else.
    assert!(minisign(&bed, "-S -l -m policy.wasm -s bare.key", ""));
    let legacy = smcp("policy verify policy.wasm --signed-by bare.pub");
    assert_eq!(legacy.code, 3, "{legacy}");
    assert!(legacy.stdout.contains("minisign's legacy form"), "{legacy}");
    assert!(minisign(&bed, "-V -m policy.wasm -p bare.pub", ""));
}

#[test]
fn the_real_minisign_verifies_statements_about_packages_and_signs_them() {
    const TOOL: &str = "acme/tool@1.0.0";
    if is_missing() {
        return;
    }
    let bed = TestBed::new();
    bed.configure("");
    bed.run("policy sign --new-key ours --no-password").succeeds();
    bed.publish(&Package::shell(TOOL, "true").good().option("--sign", "ours"));
    let folder = "registry/packages/acme/tool/1.0.0.statements";
    let folder = format!("{folder}/{}", bed.list(folder)[0]);
    let names = bed.list(&folder);
    let file = |end: &str| format!("{folder}/{}", names.iter().find(|name| name.ends_with(end)).unwrap());
    let (statement, ours) = (file(".json"), file(".minisig"));
    assert!(minisign(&bed, &format!("-V -m {statement} -x {ours} -p .mcp/keys/ours.pub"), ""));
    // The same statement, signed by its key.
    assert!(minisign(&bed, "-G -W -s theirs.key -p theirs.pub", ""));
    let key = bed.read("theirs.pub").lines().nth(1).unwrap().to_owned();
    bed.configure(&format!("trusted_registries: [{{registry: ~/registry, signed_by: [{{minisign: {key}}}]}}]\n"));
    bed.run(&format!("policy check {TOOL}")).exits(4);
    let theirs = statement.replace(".json", ".theirs.minisig");
    assert!(minisign(&bed, &format!("-S -m {statement} -x {theirs} -s theirs.key"), ""));
    bed.run(&format!("policy check {TOOL}")).succeeds();
}
