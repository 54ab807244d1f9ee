//! The program `smcp`: parse, execute, exit.

use smcp::cli;
use smcp::cli::exit::Exit;
use smcp::cli::invocation::Invocation;

fn main() -> Exit {
    cli::main(Invocation::current())
}
