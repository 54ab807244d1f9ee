//! Policies as authors try them: `policy test`, `policy bench`, `policy eval --policy`.
//!
//! Every test has a home of its own, and runs the real binary on real components: those of the tree, and hostile ones made
//! of texts.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]
#![expect(clippy::expect_used, reason = "helpers of tests fail by panicking")]
#![expect(clippy::panic, reason = "helpers of tests fail by panicking")]
#![expect(clippy::disallowed_methods, reason = "a test is the user, and reads the tree")]

#[path = "../support/bed.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod bed;
#[path = "../support/guest.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod guest;
#[path = "../support/redact.rs"]
mod redact;
#[path = "../support/terminal.rs"]
#[expect(dead_code, reason = "other tests use the rest of it")]
mod terminal;

mod alone;
mod bench;
mod facts;
mod faults;
mod hostile;
mod junit;
mod native;
mod run;
mod update;

use std::fs;

use crate::bed::ROOT;
use crate::bed::TestBed;

/// A bed with the example policy, which asks for a network, as `no_network.wasm`.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.write("no_network.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    bed
}

/// Cases of the example policy: one of each kind that there is, and all hold.
const GOOD: &str = "\
defaults:
  trusted: {origin: official, permissions: {network: []}}   # facts that most cases begin with
cases:
- name: a package without network passes
  from: trusted
  settings: {allow: []}
  expect: allow
- name: a host that is not listed is refused
  from: trusted
  facts: {permissions: {network: [evil.example]}}
  expect:
    violations:
    - code: network-not-allowed
      message: 'the server asks for network hosts that are not allowed: evil.example (allowed hosts: [])'
- name: nothing is known
  context: {at: 2026-01-05, trust: true, interactive: true}
  expect: {violations: [network-unknown]}
- name: a key is misspelt
  settings: {alow: []}
  expect: {problems: [/alow]}
";

/// Cases that all fail, each in another way.
const BAD: &str = "\
cases:
- name: another code
  facts: {permissions: {network: [evil.example]}}
  expect: {violations: [host-not-allowed]}
- name: another message
  facts: {permissions: {network: [evil.example]}}
  expect:
    violations: [{code: network-not-allowed, message: no, fact: permissions}]
- name: refused and not allowed
  expect: allow
- name: no fault
  expect: {fault: trap}
- name: other problems
  settings: {alow: [], allow: 1}
  expect: {problems: [/allow, /other]}
";
