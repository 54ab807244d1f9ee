//! Every hostile policy in the program: each a custom policy of a real configuration, with a good neighbour.
//!
//! A process has many of them, one after the other, and limits of its own: so much writable memory (`ulimit -d`), so
//! much processor time (`ulimit -t`). One that took more would end the process, and not in a fault.

use std::process::Command;
use std::process::ExitStatus;
use std::process::Output;
use std::time::Duration;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::corpus;
use crate::corpus::Row;
use crate::guest::Twin;
use crate::trial::PATIENT;
use smcp_model::decision::DecisionDocument;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Effect;
use smcp_model::record::Body;
use smcp_model::record::Record;
use smcp_model::verdict::OutcomeKind;

/// The time of a patient policy here: what all policies of a configuration may take together is a minute.
const TIME: Duration = Duration::from_secs(4);
/// Hostile policies in one configuration: that minute, less what the others need.
const TOGETHER: usize = 13;
/// Configurations that are tried at the same time.
const AT_ONCE: usize = 2;
/// Writable memory that a process may have beyond the linear memory of its largest policy, bytes: the program, its
/// threads, and the compiler, in its build for tests.
const MEMORY: usize = 192 << 20;
/// Processor time that a process may have, seconds: as long as all of its policies may take.
const PROCESSOR: u64 = 60;

/// The limits of a row as a configuration says them.
fn limits(limits: &PolicyLimits) -> String {
    let time = limits.time.min(TIME).as_millis();
    format!("{{time: {time}ms, memory: {}KiB, memories: {}}}", limits.memory / 1024, limits.memories)
}

/// The corpus in configurations: those that may have much memory in one of their own.
fn configurations() -> Vec<Vec<&'static Row>> {
    let (usual, roomy): (Vec<_>, Vec<_>) = corpus::rows().partition(|(_, limits, ..)| limits.memory <= PATIENT.memory);
    usual.chunks(TOGETHER).chain(roomy.chunks(TOGETHER)).map(<[_]>::to_vec).collect()
}

/// A home with a good package, an honest policy, and the hostile ones.
fn home(rows: &[&Row]) -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").good());
    bed.write(".mcp/neighbour.wasm", Twin::honest().component());
    for (file, ..) in rows {
        bed.write(&format!(".mcp/{file}.wasm"), Twin::of(file).component());
    }
    bed
}

/// Runs the package under the hostile policies in `mode`. Returns how the run ended, what it printed, and its document.
fn run(bed: &TestBed, rows: &[&Row], mode: &str) -> (ExitStatus, String, String, DecisionDocument) {
    let mut policies = "policy:\n  custom:\n".to_owned();
    for (file, own, ..) in rows {
        let limits = limits(own);
        let entry = format!("name: {file}, source: {file}.wasm, mode: {mode}, on_warn: notify, limits: {limits}");
        policies.push_str(&format!("    - {{{entry}}}\n"));
    }
    policies.push_str("    - {name: neighbour, source: neighbour.wasm, mode: strict}\n");
    bed.configure(&policies);
    let most = rows.iter().map(|(_, limits, ..)| limits.memory).max().unwrap();
    let line = format!("ulimit -d {} && ulimit -t {PROCESSOR} && exec \"$0\" \"$@\"", (MEMORY + most) / 1024);
    let mut smcp = Command::new("sh");
    smcp.args(["-c", &line, env!("CARGO_BIN_EXE_smcp"), "run", "acme/tool@1.0.0"]).current_dir(bed.path(""));
    smcp.env_clear().env("HOME", bed.path("")).env("PATH", std::env::var_os("PATH").unwrap());
    let Output { status, stdout, stderr } = smcp.output().unwrap();
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
    let log = bed.read(".mcp/audit.jsonl");
    let records = log.lines().rev().map(|line| Record::read(&serde_json::from_str(line).unwrap()).unwrap());
    let mut decisions = records.filter_map(|record| match record.body {
        Body::Decision(record) => Some(record.decision),
        Body::Failure(_) | Body::Start(_) | Body::End(_) => None,
    });
    let decision = decisions.next().unwrap_or_else(|| panic!("{mode}: {status}, {stderr}"));
    (status, stdout, stderr, decision)
}

/// # Errors
/// What is wrong with a decision about hostile policies, each of which should have this effect.
fn contained(rows: &[&Row], document: &DecisionDocument, effect: Effect) -> Result<(), String> {
    for (file, _, kind, _) in rows {
        let result = document.policies.iter().find(|policy| policy.name.as_str() == *file).unwrap();
        if (result.outcome, result.fault, result.effect) != (OutcomeKind::Fault, Some(*kind), effect) {
            return Err(format!("{file}: expected {kind:?} and {effect:?}, found {result:?}"));
        }
    }
    let neighbour = document.policies.last().unwrap();
    let unaffected = (neighbour.outcome, neighbour.effect) == (OutcomeKind::Pass, Effect::Pass);
    unaffected.then_some(()).ok_or_else(|| format!("the neighbour of {:?}: {neighbour:?}", rows.first()))
}

/// # Errors
/// What is wrong with one configuration of hostile policies, in either mode.
fn tried(rows: &[&Row]) -> Result<(), String> {
    let bed = home(rows);
    let (status, stdout, stderr, document) = run(&bed, rows, "strict");
    contained(rows, &document, Effect::Block)?;
    for (file, _, kind, _) in rows {
        if !stderr.contains(&format!("fault: {} → block", kind.as_str())) {
            return Err(format!("{file} is not in: {stderr}"));
        }
    }
    if (status.code(), stdout.as_str(), document.exit_code) != (Some(4), "", 4) {
        return Err(format!("strict: {status}, {stdout}{stderr}"));
    }
    let (status, stdout, stderr, document) = run(&bed, rows, "warn");
    contained(rows, &document, Effect::Warn)?;
    if (status.code(), stdout.as_str()) == (Some(0), "runs\n") {
        Ok(())
    } else {
        Err(format!("warn: {status}, {stdout}{stderr}"))
    }
}

#[test]
fn a_run_ends_by_the_rules_whatever_its_policies_do() {
    let all = configurations();
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..AT_ONCE)
            .map(|first| {
                let share = all.iter().skip(first).step_by(AT_ONCE);
                scope.spawn(move || share.filter_map(|rows| tried(rows).err()).collect::<Vec<_>>())
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
