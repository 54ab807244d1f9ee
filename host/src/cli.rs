//! The command line: what can be said, and who carries it out.
//!
//! Each command is a file with a struct and its `execute`; all of them end in an [`Exit`](exit::Exit). What a person
//! sees is written by `report`, what is decided by `decide`; here is only what was asked for.

mod answer;
mod app;
mod args;
mod audit;
mod cache;
mod completions;
mod config;
mod decision;
mod diagnostics;
mod doctor;
pub mod exit;
mod failure;
mod info;
pub mod invocation;
mod login;
mod man;
mod mcp_config;
mod policy;
mod pull;
mod registry;
mod run;
#[cfg(test)]
mod tests;
mod usage;
mod version;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::invocation::Invocation;
use smcp_authority as authority;
use smcp_pipeline::System;

/// Carries out the command line of this process, of which there is one: panics, diagnostics and a limit on the size of
/// files are met from here on.
pub fn main(invocation: Invocation) -> Exit {
    authority::survive_file_size_limit();
    diagnostics::keep_evaluation_quiet();
    carry_out(invocation, diagnostics::listen)
}

/// Carries out a command line, and changes nothing of the process that it runs in.
pub fn run(invocation: Invocation) -> Exit {
    carry_out(invocation, |_, _| None)
}

/// Parses a command line and carries it out. `listen` turns diagnostics on, and says what is wrong with what it was told.
fn carry_out(invocation: Invocation, listen: fn(u8, &System) -> Option<String>) -> Exit {
    match args::parse(&invocation.arguments) {
        Ok(parsed) => {
            let problem = listen(parsed.global.verbose, &invocation.system);
            let mut app = App::new(parsed.global, invocation);
            problem.iter().for_each(|problem| app.notice(problem));
            let result = parsed.command.execute(&mut app);
            result.unwrap_or_else(|failure| app.fail(&failure))
        }
        Err(error) => args::explain(&usage::improved(error), &invocation),
    }
}
