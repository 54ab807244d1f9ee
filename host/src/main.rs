//! The program `smcp`: parse, execute, exit; or compile, as its own child.

#[cfg(smcp_entry)]
mod entry;

use std::ffi::OsString;
use std::process::ExitCode;
use std::process::Termination as _;

use smcp::cli;
use smcp::cli::invocation::Invocation;

fn main() -> ExitCode {
    #[cfg(smcp_entry)]
    entry::ask_for_heap();
    let mut arguments = smcp_authority::arguments();
    if arguments.next().is_some_and(|name| smcp_code::is_compiler(&name)) {
        return smcp_code::serve(&arguments.collect::<Vec<OsString>>());
    }
    smcp_code::heed_children();
    let invocation = Invocation::current();
    let compilation = invocation.system.compilation;
    let exit = cli::main(invocation);
    compilation.end();
    exit.report()
}
