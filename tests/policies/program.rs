//! Every hostile policy in the program: each a custom policy of a real configuration, with a good neighbour.
//!
//! A process has many of them, one after the other, and limits of its own: so much writable memory (`ulimit -d`), so
//! much processor time (`ulimit -t`). One that took more would end the process, and not in a fault.

use std::time::Duration;

use serde_json::Value;

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

/// Runs the package under the hostile policies in `mode`. Returns the run's code, what it printed, and its document.
fn run(rows: &[&Row], mode: &str) -> (i32, String, String, DecisionDocument) {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").good());
    bed.write(".mcp/neighbour.wasm", Twin::honest().component());
    let mut policies = "policy:\n  custom:\n".to_owned();
    for (file, own, ..) in rows {
        bed.write(&format!(".mcp/{file}.wasm"), Twin::of(file).component());
        let limits = limits(own);
        let entry = format!("name: {file}, source: {file}.wasm, mode: {mode}, on_warn: notify, limits: {limits}");
        policies.push_str(&format!("    - {{{entry}}}\n"));
    }
    policies.push_str("    - {name: neighbour, source: neighbour.wasm, mode: strict}\n");
    bed.configure(&policies);
    let most = rows.iter().map(|(_, limits, ..)| limits.memory).max().unwrap();
    let line = format!("ulimit -d {} && ulimit -t {PROCESSOR} && exec \"$0\" \"$@\"", (MEMORY + most) / 1024);
    let mut smcp = bed.smcp("");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line, env!("CARGO_BIN_EXE_smcp"), "run", "acme/tool@1.0.0"]);
    shell
        .current_dir(bed.path(""))
        .env_clear()
        .env("HOME", bed.path(""))
        .env("PATH", std::env::var_os("PATH").unwrap());
    smcp.command = shell;
    let ran = smcp.run();
    let record: Value = serde_json::from_str(bed.read(".mcp/audit.jsonl").lines().next().expect(&ran.stderr)).unwrap();
    let Body::Decision(record) = Record::read(&record).unwrap().body else { panic!("{record}") };
    (ran.code, ran.stdout, ran.stderr, record.decision)
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
    let (code, stdout, stderr, document) = run(rows, "strict");
    contained(rows, &document, Effect::Block)?;
    for (file, _, kind, _) in rows {
        if !stderr.contains(&format!("fault: {} → block", kind.as_str())) {
            return Err(format!("{file} is not in: {stderr}"));
        }
    }
    if (code, stdout.as_str(), document.exit_code) != (4, "", 4) {
        return Err(format!("strict: exit {code}, {stdout}{stderr}"));
    }
    let (code, stdout, stderr, document) = run(rows, "warn");
    contained(rows, &document, Effect::Warn)?;
    if (code, stdout.as_str()) == (0, "runs\n") { Ok(()) } else { Err(format!("warn: exit {code}, {stdout}{stderr}")) }
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
