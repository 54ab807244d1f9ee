//! The client, and what it measures.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::PipeReader;
use std::io::PipeWriter;
use std::io::Write as _;
use std::process::Child;
use std::process::Command;
use std::thread;
use std::time::Instant;

use crate::Result;
use crate::median;
use crate::role::Role;
use crate::servers::send;

const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","#,
    r#""capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#,
    "\n"
);
const INITIALIZED: &str = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n";
/// What is between client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Between {
    Nothing,
    /// One `cat` for each direction.
    Cat,
    Smcp,
}

/// A client after the handshake, and the processes that it talks to.
struct ClientSession {
    input: PipeWriter,
    output: BufReader<PipeReader>,
    processes: Vec<Child>,
}

impl ClientSession {
    fn new(between: Between, server: Role) -> Result<Self> {
        let (server_input, input) = io::pipe()?;
        let (output, server_output) = io::pipe()?;
        let this = || std::env::current_exe().map(Command::new);
        let mut processes = Vec::new();
        match between {
            Between::Nothing => {
                processes.push(this()?.args(server.arguments()).stdin(server_input).stdout(server_output).spawn()?);
            }
            Between::Smcp => {
                let arguments = [Role::Smcp.arguments(), server.arguments()].concat();
                processes.push(this()?.args(arguments).stdin(server_input).stdout(server_output).spawn()?);
            }
            Between::Cat => {
                let (asked, to_server) = io::pipe()?;
                let (answered, to_cat) = io::pipe()?;
                processes.push(Command::new("cat").stdin(server_input).stdout(to_server).spawn()?);
                processes.push(this()?.args(server.arguments()).stdin(asked).stdout(to_cat).spawn()?);
                processes.push(Command::new("cat").stdin(answered).stdout(server_output).spawn()?);
            }
        }
        let mut session = Self { input, output: BufReader::with_capacity(128 * 1024, output), processes };
        session.input.write_all(INITIALIZE.as_bytes())?;
        let mut answer = String::new();
        session.output.read_line(&mut answer)?;
        session.input.write_all(INITIALIZED.as_bytes())?;
        Ok(session)
    }

    fn end(self) -> Result<()> {
        let Self { input, mut output, processes } = self;
        drop(input);
        io::copy(&mut output, &mut io::sink())?;
        for mut process in processes {
            if !process.wait()?.success() {
                return Err("a process failed".into());
            }
        }
        Ok(())
    }

    /// Reads this many bytes, and drops them; an error when the stream ends before.
    fn take(&mut self, mut bytes: usize) -> Result<()> {
        while bytes > 0 {
            let count = self.output.fill_buf()?.len().min(bytes);
            if count == 0 {
                return Err("the server's output ended early".into());
            }
            self.output.consume(count);
            bytes -= count;
        }
        Ok(())
    }
}

/// Returns how many bytes `send` sends for this many MiB.
fn sent(mebibytes: usize) -> Result<usize> {
    Ok(send(&mut io::sink(), mebibytes)?)
}

/// Returns the seconds until the client has received everything.
pub(crate) fn download(between: Between, mebibytes: usize) -> Result<f64> {
    let bytes = sent(mebibytes)?;
    let mut session = ClientSession::new(between, Role::Source(mebibytes))?;
    let start = Instant::now();
    session.take(bytes)?;
    let seconds = start.elapsed().as_secs_f64();
    session.end()?;
    Ok(seconds)
}

/// Returns the seconds until the server has received everything.
pub(crate) fn upload(between: Between, mebibytes: usize) -> Result<f64> {
    let mut session = ClientSession::new(between, Role::Sink)?;
    let start = Instant::now();
    send(&mut session.input, mebibytes)?;
    session.input.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}last\n")?;
    session.output.read_line(&mut String::new())?;
    let seconds = start.elapsed().as_secs_f64();
    session.end()?;
    Ok(seconds)
}

/// Returns the median of the round trips of small messages, in microseconds.
pub(crate) fn round_trip(between: Between, count: usize) -> Result<f64> {
    let mut session = ClientSession::new(between, Role::Echo)?;
    let message = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\",\"params\":{\"some\":\"text\"}}\n";
    let mut times = Vec::new();
    let mut line = String::new();
    for _ in 0..count {
        let start = Instant::now();
        session.input.write_all(message.as_bytes())?;
        session.output.read_line(&mut line)?;
        times.push(start.elapsed().as_secs_f64() * 1e6);
        line.clear();
    }
    session.end()?;
    Ok(median(times))
}

/// Returns the milliseconds until 2,000 messages and their answers have arrived; no message waits for an answer.
pub(crate) fn in_flight() -> Result<f64> {
    let mut session = ClientSession::new(Between::Smcp, Role::Echo)?;
    let start = Instant::now();
    let mut input = session.input.try_clone()?;
    let message = format!("{{\"method\":\"x\",\"params\":\"{}\"}}\n", "x".repeat(1000));
    let writer = thread::spawn(move || (0..2000).try_for_each(|_| input.write_all(message.as_bytes())));
    let mut line = String::new();
    for _ in 0..2000 {
        line.clear();
        session.output.read_line(&mut line)?;
    }
    writer.join().map_err(|_| "the writer panicked")??;
    let milliseconds = start.elapsed().as_secs_f64() * 1e3;
    session.end()?;
    Ok(milliseconds)
}

/// Returns the peak memory of smcp after it has relayed this many MiB, in MiB.
pub(crate) fn peak_memory(mebibytes: usize) -> Result<f64> {
    let bytes = sent(mebibytes)?;
    let mut session = ClientSession::new(Between::Smcp, Role::Source(mebibytes))?;
    session.take(bytes)?;
    let smcp = session.processes.first().ok_or("no process")?.id();
    let status = std::fs::read_to_string(format!("/proc/{smcp}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
    session.end()?;
    Ok(kibibytes / 1024.0)
}
