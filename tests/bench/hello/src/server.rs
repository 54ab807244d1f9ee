//! A server that is ready at once: one line, then it waits for the end of its input.

use std::io;
use std::io::Write as _;

fn main() -> io::Result<()> {
    let mut output = io::stdout();
    output.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/ready\"}\n")?;
    output.flush()?;
    io::copy(&mut io::stdin(), &mut io::sink())?;
    Ok(())
}
