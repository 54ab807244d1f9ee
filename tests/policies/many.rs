//! Many large policies: their bytes are not in memory all at once.

use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use serde_json::json;

use crate::bed::TestBed;
use crate::guest::Twin;
use smcp_model::policy::PolicySpec;
use smcp_model::verdict::FaultKind;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;

/// Policies, and the bytes that each is made longer by.
const POLICIES: usize = 14;
const PADDING: usize = 16 << 20;
/// What the process may have, bytes: less than all of them together, and more than smcp needs beside two of them.
const MEMORY: usize = 176 << 20;

/// The honest policy with a section of no meaning, which differs from those of other numbers.
fn padded(number: usize, padding: usize) -> Vec<u8> {
    let mut bytes = Twin::honest().component();
    let name = format!("padding-{number}");
    let content = 1 + name.len() + padding;
    bytes.push(0);
    let mut left = content;
    while left >= 0x80 {
        bytes.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    bytes.push(u8::try_from(left).unwrap());
    bytes.push(u8::try_from(name.len()).unwrap());
    bytes.extend(name.as_bytes());
    bytes.resize(bytes.len() + padding, 0);
    bytes
}

#[test]
fn many_large_policies_need_no_memory_for_all_of_them() {
    let bed = TestBed::new();
    let mut entries = String::new();
    for number in 0..POLICIES {
        bed.write(&format!(".mcp/p{number}.wasm"), padded(number, PADDING));
        writeln!(entries, "    - {{name: p{number}, source: p{number}.wasm}}").unwrap();
    }
    bed.configure(&format!("policy:\n  custom:\n{entries}"));
    bed.write("facts.json", r#"{"status": "published"}"#);
    // Cold, then with all code kept.
    for _ in 0..2 {
        let smcp = bed.smcp("policy eval --json --facts facts.json");
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("ulimit -d {} && exec \"$0\" \"$@\"", MEMORY / 1024));
        shell.arg(smcp.command.get_program()).args(smcp.command.get_args()).current_dir(bed.path(""));
        let path = std::env::var_os("PATH").unwrap();
        let output = shell.env_clear().env("HOME", bed.path("")).env("PATH", path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}\n{said}", String::from_utf8_lossy(&output.stdout));
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let outcomes = document["policies"].as_array().unwrap().iter().filter(|one| one["outcome"] == "pass");
        assert_eq!(outcomes.count(), POLICIES + 3, "{document}");
    }
}

/// The bytes are read again when they are needed, and must be those that were hashed.
#[test]
fn bytes_that_change_meanwhile_are_a_fault() {
    let (host, honest, other) = (PolicyHost::new().unwrap(), padded(1, 10), padded(2, 10));
    let evaluate = |bytes: Vec<u8>| {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let again = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(bytes.clone())
        };
        let spec = PolicySpec::file("large".parse().unwrap(), "/large.wasm", json!({}));
        let bound = Bound::new(spec, Ok(Component::elsewhere(&honest, Arc::new(again)))).unwrap();
        let set = PolicySet::load(&host, [bound]);
        let fault = set.policies()[0].fault().cloned();
        (fault, reads.load(Ordering::SeqCst))
    };
    let (fault, reads) = evaluate(other);
    let fault = fault.unwrap();
    assert_eq!((fault.kind, reads), (FaultKind::Load, 1));
    assert!(fault.message.as_str().contains("was changed while smcp was reading it"), "{fault:?}");
    assert_eq!(evaluate(honest.clone()), (None, 1));
}
