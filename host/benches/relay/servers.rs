//! The servers: one sends, one receives, one repeats.

use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::os::fd::AsFd as _;

use crate::Result;

const MIB: usize = 1024 * 1024;
/// Declares no logging, so that nothing follows the handshake by itself.
const ANSWER: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"#,
    r#""serverInfo":{"name":"bench","version":"1"}}}"#,
    "\n"
);

fn shake_hands(input: &mut impl BufRead, output: &mut impl Write) -> Result<()> {
    input.read_line(&mut String::new())?;
    output.write_all(ANSWER.as_bytes())?;
    output.flush()?;
    input.read_line(&mut String::new())?;
    Ok(())
}

/// Returns messages of about a kilobyte, 64 KiB together: large answers come in blocks of that size.
fn block() -> Vec<u8> {
    let message =
        format!("{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":\"{}\"}}\n", "x".repeat(961));
    message.repeat(64 * 1024 / message.len()).into_bytes()
}

/// Sends this many MiB and a little more; returns the number of bytes.
pub(crate) fn send(to: &mut impl Write, mebibytes: usize) -> io::Result<usize> {
    let block = block();
    let count = (mebibytes * MIB).div_ceil(block.len());
    for _ in 0..count {
        to.write_all(&block)?;
    }
    Ok(count * block.len())
}

pub(crate) fn source(mebibytes: usize) -> Result<()> {
    let mut input = io::stdin().lock();
    // Not through `Stdout`, which looks for the end of a line.
    let mut output = stdout()?;
    shake_hands(&mut input, &mut output)?;
    send(&mut output, mebibytes)?;
    drop(output);
    io::copy(&mut input, &mut io::sink())?;
    Ok(())
}

pub(crate) fn sink() -> Result<()> {
    let mut input = BufReader::with_capacity(128 * 1024, io::stdin());
    let mut output = stdout()?;
    shake_hands(&mut input, &mut output)?;
    loop {
        let bytes = input.fill_buf()?;
        let (count, last) = (bytes.len(), bytes.ends_with(b"last\n"));
        input.consume(count);
        if last {
            output.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/all\"}\n")?;
        }
        if count == 0 {
            return Ok(());
        }
    }
}

pub(crate) fn echo() -> Result<()> {
    let mut input = io::stdin().lock();
    let mut output = stdout()?;
    shake_hands(&mut input, &mut output)?;
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        output.write_all(&line)?;
        line.clear();
    }
    Ok(())
}

fn stdout() -> Result<File> {
    Ok(io::stdout().as_fd().try_clone_to_owned()?.into())
}
