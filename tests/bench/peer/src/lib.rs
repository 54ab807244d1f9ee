//! What every peer does with its engine: decide once, decide all, be timed.
//!
//! `host/benches/decisions.rs` uses this file too, so that smcp's library is timed by the same loop.

use std::borrow::Cow;
use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io;
use std::io::Write as _;
use std::time::Instant;

/// The error of anything: a peer says it and stops.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;
/// The codes of what is violated, in any order; none when the package may run.
pub type Codes = Vec<Cow<'static, str>>;

/// Decisions between two looks at the clock: so few that the slowest engine needs some milliseconds, and so many that the
/// clock is no part of the figure.
const BLOCK: usize = 20;

/// An engine that has its policies loaded.
pub trait Engine {
    /// Facts in the form in which the engine takes them.
    type Facts;

    /// Reads facts, a JSON document as `smcp policy eval` reads it.
    ///
    /// # Errors
    /// When it is none.
    fn read(&self, document: &str) -> Result<Self::Facts>;

    /// Decides.
    ///
    /// # Errors
    /// When the engine fails.
    fn decide(&mut self, facts: &Self::Facts) -> Result<Codes>;
}

/// Does what the last arguments of a peer say, and returns whether a single decision was to allow.
///
/// | arguments | what is printed |
/// |---|---|
/// | `once FILE` | the decision on the document in the file |
/// | `all FILE` | the decision on each line of the file |
/// | `warm FILE ROUNDS` | nanoseconds of a decision: minimum and median with reading the facts, and the same without |
///
/// # Errors
/// When the arguments are others, or something fails.
pub fn execute(mut engine: impl Engine, arguments: &[String]) -> Result<bool> {
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut output = io::stdout().lock();
    match arguments[..] {
        ["once", file] => {
            let codes = decide(&mut engine, &fs::read_to_string(file)?)?;
            writeln!(output, "{}", line(&codes))?;
            return Ok(codes.is_empty());
        }
        ["all", file] => {
            for document in fs::read_to_string(file)?.lines() {
                writeln!(output, "{}", line(&decide(&mut engine, document)?))?;
            }
        }
        ["warm", file, rounds] => {
            let (documents, rounds) = (fs::read_to_string(file)?, rounds.parse()?);
            let documents: Vec<_> = documents.lines().collect();
            let facts = documents.iter().map(|document| engine.read(document)).collect::<Result<Vec<_>>>()?;
            let [least, median] = timed(&documents, rounds, |document| decide(&mut engine, document))?;
            write!(output, "{least:.1} {median:.1} ")?;
            let [least, median] = timed(&facts, rounds, |facts| engine.decide(facts))?;
            writeln!(output, "{least:.1} {median:.1}")?;
        }
        _ => return Err("the arguments are `once FILE`, `all FILE` or `warm FILE ROUNDS`".into()),
    }
    Ok(true)
}

/// Decides on everything in each round, and returns the minimum and the median of the nanoseconds of one decision.
///
/// The clock is read for a block at a time. The minimum is that of each block, together: on a busy machine no round is
/// left alone from its begin to its end, but each block is, once. The median is that of whole rounds.
fn timed<T>(inputs: &[T], rounds: usize, mut decide: impl FnMut(&T) -> Result<Codes>) -> Result<[f64; 2]> {
    let mut least = vec![f64::INFINITY; inputs.len().div_ceil(BLOCK)];
    let mut whole = Vec::new();
    for _ in 0..rounds {
        let mut sum = 0.0;
        for (block, least) in inputs.chunks(BLOCK).zip(&mut least) {
            let start = Instant::now();
            for input in block {
                black_box(decide(black_box(input))?);
            }
            let nanoseconds = start.elapsed().as_nanos() as f64;
            *least = least.min(nanoseconds);
            sum += nanoseconds;
        }
        whole.push(sum);
    }
    whole.sort_by(f64::total_cmp);
    let median = whole.get(whole.len() / 2).copied().unwrap_or(f64::NAN);
    Ok([least.iter().sum(), median].map(|nanoseconds: f64| nanoseconds / inputs.len() as f64))
}

fn decide(engine: &mut impl Engine, document: &str) -> Result<Codes> {
    let facts = engine.read(document)?;
    engine.decide(&facts)
}

/// Writes a decision, so that equal ones are equal lines.
fn line(codes: &Codes) -> String {
    let mut codes = codes.clone();
    codes.sort();
    if codes.is_empty() { "allow".to_owned() } else { format!("deny {}", codes.join(" ")) }
}
