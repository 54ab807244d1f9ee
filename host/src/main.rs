//! The program `smcp`: parse, execute, exit; or compile, as its own child.

#![cfg_attr(own_start, no_main)]

#[cfg(smcp_entry)]
mod entry;
#[cfg(own_start)]
mod start;

use std::ffi::OsString;

use smcp::cli;
use smcp::cli::invocation::Invocation;

#[cfg(not(own_start))]
fn main() -> std::process::ExitCode {
    run().into()
}

/// Does the work. Returns what the caller sees as the end of the process.
fn run() -> u8 {
    #[cfg(smcp_entry)]
    entry::ask_for_heap();
    let mut arguments = smcp_authority::arguments();
    if arguments.next().is_some_and(|name| smcp_code::is_compiler(&name)) {
        return u8::from(smcp_code::serve(&arguments.collect::<Vec<OsString>>()).is_err());
    }
    smcp_code::heed_children();
    let invocation = Invocation::current();
    let compilation = invocation.system.compilation;
    let exit = cli::main(invocation);
    compilation.end();
    exit.code()
}
