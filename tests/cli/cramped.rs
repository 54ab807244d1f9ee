//! Little address space: `ulimit -v` of login nodes, shared hosts and CI jobs.

use std::process::Command;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use smcp_model::limits;

/// Returns the output and the exit code of `smcp` with an address space of so many KiB; the code is `None` after a
/// signal.
fn within(kib: u64, bed: &TestBed, line: &str) -> (String, Option<i32>) {
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v \"$0\" && exec \"$@\"", &kib.to_string(), env!("CARGO_BIN_EXE_smcp")]);
    command.args(line.split(' ')).env_clear().env("HOME", bed.path("")).env("PATH", std::env::var_os("PATH").unwrap());
    let output = command.output().unwrap();
    (String::from_utf8([output.stdout, output.stderr].concat()).unwrap(), output.status.code())
}

/// A package that may run, and a policy that has to be compiled first.
fn bed() -> TestBed {
    let bed = TestBed::new();
    let component = std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    bed.write(".mcp/policies/no_network.wasm", component);
    bed.configure("policy:\n  custom:\n    - {name: no-network, source: policies/no_network.wasm}\n");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").good());
    bed
}

#[test]
fn what_smcp_needs_is_enough() {
    let bed = bed();
    for kib in [4_000_000, 1_000_000, limits::ADDRESS_SPACE / 1024] {
        for line in ["run acme/tool@1.0.0", "policy list", "policy inspect .mcp/policies/no_network.wasm"] {
            let line = line.replace(".mcp", bed.path(".mcp").to_str().unwrap());
            let (said, code) = within(kib, &bed, &line);
            assert_eq!(code, Some(0), "{kib} KiB: {line}: {said}");
        }
    }
}

/// Whichever allocation fails, the message names the limit and not a lack of memory.
#[test]
fn too_little_is_named_as_what_it_is() {
    let bed = bed();
    bed.configure("");
    let mut named = 0;
    let needed = limits::ADDRESS_SPACE / 1024;
    // Far below it, the program itself can't be loaded, or runs out of memory at some point: a program of the dev profile
    // takes a quarter of it alone.
    for kib in (60_000..260_000).step_by(4_000) {
        let (said, code) = within(kib, &bed, "run --dry-run acme/tool@1.0.0");
        assert!(!said.contains("Cannot allocate memory"), "{kib} KiB: {said}");
        if code == Some(4) {
            let expected = format!("`ulimit -v` is {kib}; smcp needs {needed} (KiB) of address space");
            assert!(said.contains(&expected), "{kib} KiB: {said}");
            named += 1;
        } else {
            assert!(kib < needed / 4 || code == Some(0), "{kib} KiB: {code:?}: {said}");
        }
    }
    assert!(named > 0, "no limit was too little");
}
