//! The program `smcp`: parse, execute, exit.

use smcp::cli;
use smcp::cli::exit::Exit;

fn main() -> Exit {
    cli::main(smcp_authority::arguments())
}
