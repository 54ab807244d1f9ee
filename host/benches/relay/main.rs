//! Measures what a relayed session costs, against one without smcp.
//!
//! Measured are throughput, latency and memory.
//!
//! `cargo bench -p smcp --bench relay` prints one table. Each ratio is of two measurements taken in turns in one run;
//! compare nothing else. Without `--bench` it runs everything once with little data, to see that it works.
//!
//! This program is the client, and starts itself again as smcp and as the servers (see [`Role`]): two measurements that
//! are compared differ only in what is between client and server.

#![expect(clippy::disallowed_methods, reason = "a benchmark is the client, the shell and the file system")]

use std::error::Error;
use std::io;
use std::io::Write as _;
use std::process::ExitCode;

use client::Between;
use client::download;
use client::in_flight;
use client::peak_memory;
use client::round_trip;
use client::upload;
use role::Role;

mod client;
mod role;
mod servers;
mod smcp_run;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match Role::of(&arguments) {
        Some(Role::Smcp) => return smcp_run::stand_in(arguments.get(1..).unwrap_or_default()),
        Some(Role::Source(mebibytes)) => servers::source(mebibytes)?,
        Some(Role::Sink) => servers::sink()?,
        Some(Role::Echo) => servers::echo()?,
        None => measure(arguments.iter().any(|argument| argument == "--bench"))?,
    }
    Ok(ExitCode::SUCCESS)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Takes two measurements in turns; returns the median of each, and of their ratios.
fn in_turns(rounds: usize, measure: impl Fn(Between) -> Result<f64>, than: Between) -> Result<(f64, f64, f64)> {
    let (mut smcp, mut other, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let without = measure(than)?;
        let with = measure(Between::Smcp)?;
        smcp.push(with);
        other.push(without);
        ratios.push(without / with);
    }
    Ok((median(smcp), median(other), median(ratios)))
}

fn measure(thorough: bool) -> Result<()> {
    let (rounds, mebibytes, messages) = if thorough { (31, 256, 20_000) } else { (1, 4, 20) };
    let rate = |seconds: f64| mebibytes as f64 / seconds;
    let mut table = io::stdout().lock();
    let mut row = |what: &str, with: String, without: String, reached: String, wanted: &str| {
        writeln!(table, "{what:<38} {with:>12} {without:>20} {reached:>10}  {wanted}")
    };
    row("", "smcp".into(), "without".into(), "reached".into(), "wanted")?;
    let (with, without, ratio) = in_turns(rounds, |between| download(between, mebibytes), Between::Cat)?;
    let (with, without) = (format!("{:.0} MiB/s", rate(with)), format!("cat: {:.0} MiB/s", rate(without)));
    row("server to client, after the handshake", with, without, format!("{ratio:.2}"), "at least 0.95")?;
    let (with, without, ratio) = in_turns(rounds, |between| upload(between, mebibytes), Between::Cat)?;
    let (with, without) = (format!("{:.0} MiB/s", rate(with)), format!("cat: {:.0} MiB/s", rate(without)));
    row("client to server, after the handshake", with, without, format!("{ratio:.2}"), "at least 0.95")?;
    let (with, without, _) = in_turns(rounds, |between| round_trip(between, messages), Between::Nothing)?;
    let added = format!("{:.1} µs", with - without);
    let (with, without) = (format!("{with:.1} µs"), format!("nothing: {without:.1} µs"));
    row("a round trip, median", with, without, added, "under 30 µs more")?;
    row(
        "2,000 messages in flight each way",
        format!("{:.0} ms", in_flight()?),
        "-".into(),
        "yes".into(),
        "no deadlock",
    )?;
    if cfg!(target_os = "linux") {
        let passed = 2 * mebibytes;
        let peak = format!("{:.1} MiB", peak_memory(passed)?);
        row(&format!("peak memory while {passed} MiB pass"), peak.clone(), "-".into(), peak, "under 24 MiB")?;
    }
    Ok(())
}
