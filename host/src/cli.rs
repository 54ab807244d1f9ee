//! The command line: its grammar, and one file for each command.
//!
//! Each command is a struct with a method `execute`, which returns an [`exit::Exit`]. `report` writes what the
//! user sees, and `decide` decides; these files only know what the user asked for.

mod answer;
mod app;
mod args;
mod audit;
mod cache;
mod chosen;
mod client;
mod completions;
mod config;
mod data;
mod decision;
mod diagnostics;
mod doctor;
pub mod exit;
mod failure;
mod forecast;
mod format;
mod global;
mod import;
mod info;
pub mod invocation;
mod login;
mod man;
mod mcp_config;
mod policy;
mod pull;
mod registry;
mod run;
mod scan;
mod signing_key;
#[cfg(test)]
mod tests;
mod usage;
mod version;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::invocation::Invocation;
use smcp_authority as authority;
use smcp_pipeline::SharedHost;
use smcp_pipeline::System;

/// Carries out the command line of this process. Sets up the process first: its panics, its diagnostics, and its
/// behaviour at the limit on the size of files.
pub fn main(invocation: Invocation) -> Exit {
    authority::survive_file_size_limit();
    diagnostics::keep_evaluation_quiet();
    carry_out(invocation, diagnostics::enable)
}

/// Carries out a command line, and changes nothing in the process that it runs in.
pub fn run(invocation: Invocation) -> Exit {
    carry_out(invocation, |_, _| None)
}

/// Parses a command line and carries it out. `enable` turns diagnostics on, and returns what is wrong with the filter.
fn carry_out(invocation: Invocation, enable: fn(u8, &System) -> Option<String>) -> Exit {
    // Policies get ready while the command line and the configuration are read.
    let host = SharedHost::default();
    if args::asks_for_decision(&invocation.arguments) {
        host.begin();
    }
    match args::parse(&invocation.arguments) {
        Ok(parsed) => {
            let problem = enable(parsed.global.verbose, &invocation.system);
            let mut app = App::new(parsed.global, invocation, host);
            problem.iter().for_each(|problem| app.notice(problem));
            let result = parsed.command.execute(&mut app);
            result.unwrap_or_else(|failure| app.fail(&failure))
        }
        Err(error) => args::explain(&usage::improved(error), &invocation),
    }
}
