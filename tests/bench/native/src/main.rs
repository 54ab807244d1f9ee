//! A peer: the checks in plain Rust, which is what no engine can beat.

use std::process::ExitCode;

use bench_peer::Codes;
use bench_peer::Engine;
use bench_peer::Result;
use bench_peer::execute;
use bench_rules::Facts;
use bench_rules::violations;

struct Native;

impl Engine for Native {
    type Facts = Facts;

    fn read(&self, document: &str) -> Result<Facts> {
        Ok(serde_json::from_str(document)?)
    }

    fn decide(&mut self, facts: &Facts) -> Result<Codes> {
        Ok(violations(facts).into_iter().map(Into::into).collect())
    }
}

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    Ok(ExitCode::from(if execute(Native, &arguments)? { 0 } else { 4 }))
}
