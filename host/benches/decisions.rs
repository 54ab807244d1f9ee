//! smcp's library beside the engines of `tests/bench`, in the same loop.
//!
//! It is built here, and not there, so that it is the code of the shipped program: one lock file, one profile, one
//! wasmtime. `cargo xtask bench` builds it and calls it as it calls the peers.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads its inputs and writes what it found")]

use std::fs;
use std::io;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use peer::Codes;
use peer::Engine;
use peer::Result;
use peer::execute;

use smcp_code::CodePlaces;
use smcp_code::CompiledStore;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::verdict::Outcome;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::InProcess;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::request::from_document;

#[expect(unreachable_pub, reason = "for the peers it is a crate")]
#[path = "../../tests/bench/peer/src/lib.rs"]
mod peer;

/// The settings of the bench; `tests/bench/runner/src/world.rs` has them as a configuration.
fn settings(policy: BuiltIn) -> serde_json::Value {
    match policy {
        BuiltIn::Origin => serde_json::json!({"allowed_origins": ["official", "verified"]}),
        BuiltIn::Certification => serde_json::json!({"min_cert_level": 2, "cert_score_check": "enforce"}),
        BuiltIn::Score => serde_json::json!({"min_score": 70, "warning_threshold": 0}),
    }
}

struct Smcp(PolicySet);

impl Smcp {
    fn load(host: &PolicyHost, policies: &[BuiltIn]) -> Result<Self> {
        let bind = |policy: &BuiltIn| {
            Bound::new(PolicySpec::built_in(*policy, settings(*policy)), Ok(Component::built_in(*policy)))
        };
        let bound = policies.iter().map(bind).collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(Self(PolicySet::load(host, bound)))
    }
}

impl Engine for Smcp {
    type Facts = Request;

    fn read(&self, document: &str) -> Result<Request> {
        let context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
        Ok(from_document(document.as_bytes(), context)?)
    }

    fn decide(&mut self, facts: &Request) -> Result<Codes> {
        let mut codes = Codes::new();
        for policy in self.0.evaluate(facts) {
            if let Outcome::Fault(fault) = &policy.outcome {
                return Err(format!("{} failed: {}", policy.name(), fault.message).into());
            }
            codes.extend(policy.outcome.violations().iter().map(|finding| finding.code.to_string().into()));
        }
        Ok(codes)
    }
}

/// What a start has of compiled code, and of what the policies have answered before.
fn store(folder: &Path) -> CompiledStore {
    CompiledStore::new(CodePlaces {
        cache: Some(folder.join("cache")),
        key: Some(folder.join("home")),
        caller: smcp_authority::caller(),
        open: smcp_authority::open_dir,
        make: smcp_authority::create_dir,
        clock: smcp_authority::clock,
    })
}

/// Prints the nanoseconds from nothing to the decision on a document, with a store in the folder.
fn first(policies: &[BuiltIn], document: &str, folder: &Path) -> Result<()> {
    let start = Instant::now();
    let mut engine = Smcp::load(&PolicyHost::with_store(InProcess, store(folder))?, policies)?;
    let codes = engine.decide(&engine.read(document)?)?;
    let nanoseconds = start.elapsed().as_nanos();
    if !codes.is_empty() {
        return Err("the facts are refused".into());
    }
    writeln!(io::stdout(), "{nanoseconds}")?;
    Ok(())
}

/// Prints the nanoseconds of a decision on the documents in a file when this many threads ask at the same time, each about
/// its part of them: the fastest of the rounds. All of it is in one process, and so few are asked at once that one core
/// does them.
fn many(engine: &Smcp, file: &str, rounds: usize, threads: usize) -> Result<()> {
    let documents = fs::read_to_string(file)?;
    let facts = documents.lines().map(|document| engine.read(document)).collect::<Result<Vec<_>>>()?;
    let parts = || facts.chunks(facts.len().div_ceil(threads).max(1));
    let round = |_| {
        let start = Instant::now();
        let decide = |part: &[Request]| part.chunks(8).map(|few| engine.0.evaluate_each(few).len()).sum::<usize>();
        let decided: usize = thread::scope(|scope| {
            let running: Vec<_> = parts().map(|part| scope.spawn(move || decide(part))).collect();
            running.into_iter().map(|thread| thread.join().unwrap_or_default()).sum()
        });
        start.elapsed().as_nanos() as f64 / decided as f64
    };
    writeln!(io::stdout(), "{:.0}", (0..rounds).map(round).fold(f64::INFINITY, f64::min))?;
    Ok(())
}

/// The first argument is `three`, for all built-in policies, or `one`, for the score alone; the others are what every peer
/// takes, `first FILE FOLDER` or `many FILE ROUNDS THREADS`.
fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [variant, arguments @ ..] = &arguments[..] else { return Err("arguments are missing".into()) };
    let policies = if variant == "one" { &[BuiltIn::Score][..] } else { &BuiltIn::ALL[..] };
    if let [word, file, folder] = arguments
        && word == "first"
    {
        first(policies, &fs::read_to_string(file)?, Path::new(folder))?;
        return Ok(ExitCode::SUCCESS);
    }
    // What decides often has a pool; a start has none.
    let engine = Smcp::load(&PolicyHost::new()?.pooled()?, policies)?;
    if let [word, file, rounds, threads] = arguments
        && word == "many"
    {
        many(&engine, file, rounds.parse()?, threads.parse()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(if execute(engine, arguments)? { 0 } else { 4 }))
}
