//! The program `smcp`: parse, execute, exit.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::SUCCESS
}
