//! The program `smcp`: parse, execute, exit.

use smcp::cli;
use smcp::cli::exit::Exit;
use smcp::cli::process::Process;

fn main() -> Exit {
    cli::main(Process::current())
}
