//! The command line: what can be said, and who carries it out.
//!
//! Each command is a file with a struct and its `execute`; all of them end in an [`Exit`](exit::Exit). What a person
//! sees is written by `report`, what is decided by `decide`; here is only what was asked for.

mod answer;
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
mod login;
mod man;
mod mcp_config;
mod policy;
mod pull;
mod registry;
mod run;
mod usage;
mod version;
mod world;

use std::ffi::OsString;

use crate::cli::exit::Exit;
use crate::cli::world::World;
use smcp_authority as authority;

/// Parses a command line and carries it out.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let arguments: Vec<_> = arguments.into_iter().collect();
    authority::survive_file_size_limit();
    match args::parse(&arguments) {
        Ok(parsed) => {
            diagnostics::keep_evaluation_quiet();
            let problem = diagnostics::listen(parsed.global.verbose);
            let mut world = World::new(parsed.global);
            problem.iter().for_each(|problem| world.remark(problem));
            let result = parsed.command.execute(&mut world);
            result.unwrap_or_else(|failure| world.fail(&failure))
        }
        Err(error) => args::explain(&usage::improved(error), &arguments),
    }
}
