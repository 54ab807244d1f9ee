//! Every hostile policy, in the library: it ends in the fault that it must end in.

use std::sync::Arc;
use std::time::Instant;

use crate::corpus;
use crate::corpus::Row;
use crate::corpus::SLACK;
use crate::guest::Twin;
use crate::trial::HASTY;
use crate::trial::PATIENT;
use crate::trial::judge;
use smcp_model::limits;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::PolicySpec;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

/// Trials at the same time: each may hang until its deadline.
const AT_ONCE: usize = 4;

/// Every hostile policy of one kind ends as a fault of that kind, which blocks in strict mode, within its time.
#[track_caller]
fn contained(kind: FaultKind) {
    let rows: Vec<_> = corpus::rows().filter(|(_, _, expected, _)| *expected == kind).collect();
    assert!(!rows.is_empty(), "no hostile policy ends as {kind:?}");
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let share = |rows: &[&'static Row]| rows.iter().filter_map(|row| end(row).err()).collect::<Vec<_>>();
        let chunks = rows.chunks(rows.len().div_ceil(AT_ONCE));
        let running: Vec<_> = chunks.map(|chunk| scope.spawn(move || share(chunk))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "expected {kind:?}\n{}", wrong.join("\n"));
}

/// # Errors
/// What is wrong with the end of one hostile policy.
fn end((file, limits, kind, says): &Row) -> Result<(), String> {
    let component = Twin::of(file).component();
    let begin = Instant::now();
    let evaluated = judge(component, *limits);
    let (took, most) = (begin.elapsed(), limits.time + SLACK);
    blames(&evaluated, *kind, says).map_err(|found| format!("{file}: {found}"))?;
    if took < most { Ok(()) } else { Err(format!("{file}: it took {took:?}, and may take {most:?}")) }
}

/// Whether an outcome is this fault, with these words, and has the effect of a fault in every mode.
pub(crate) fn blames(evaluated: &Evaluated, kind: FaultKind, says: &str) -> Result<(), String> {
    let spec = |mode| Arc::new(PolicySpec { mode, ..PolicySpec::clone(&evaluated.spec) });
    let effect = |mode, on_warn| Evaluated { spec: spec(mode), on_warn, ..evaluated.clone() }.effect();
    let effects =
        [effect(Mode::Strict, OnWarn::Notify), effect(Mode::Warn, OnWarn::Notify), effect(Mode::Warn, OnWarn::Confirm)];
    let Outcome::Fault(fault) = &evaluated.outcome else { return Err(format!("{:?}", evaluated.outcome)) };
    if fault.kind != kind || !fault.message.as_str().contains(says) {
        return Err(format!("{fault:?}, expected {kind:?} with `{says}`"));
    }
    if fault.message.as_str().len() > limits::MESSAGE {
        return Err(format!("a message of {} bytes", fault.message.as_str().len()));
    }
    let expected = [Effect::Block, Effect::Warn, Effect::Ask];
    (effects == expected).then_some(()).ok_or_else(|| format!("effects {effects:?}"))
}

/// The message of a fault says what its reader can do, which depends on the cause.
#[test]
fn every_fault_of_a_running_policy_has_a_way_out() {
    let table = [
        ("memory-grows", "-Wl,-z,stack-size=65536"),
        ("evaluate-spins", "allow it more: `limits: {time: …}` in the policy's configuration, at most 10s"),
        ("memory-grows", "allow it more: `limits: {memory: …}` in the policy's configuration, at most 512MiB"),
        ("many-memories", "allow it more: `limits: {memories: …}` in the policy's configuration, at most 64"),
        ("many-instances", "allow it more: `limits: {instances: …}` in the policy's configuration, at most 512"),
        ("many-memories", "one module is enough"),
        ("many-instances", "one module is enough"),
        ("table-grows", "called by its address"),
        ("log-flood", "the SDK's `log` stays below"),
        ("handles-in-start", "1024 resource handles"),
        ("schema-of-a-megabyte", "at most"),
        ("describe-unreachable", "with `-v` smcp shows what the policy logs"),
        ("load-out-of-bounds", "recursion deeper than the language's own stack"),
        ("recursion", "recursion has to be bounded"),
        ("proposal-async-task", "componentize-qjs with `--sync`"),
        ("proposal-async-stream", "componentize-qjs with `--sync`"),
        ("proposal-exceptions", "without exceptions"),
        ("proposal-shared-memory", "without threads"),
        ("proposal-atomics", "without threads"),
        ("proposal-memory64", "for wasm32"),
        ("proposal-multi-memory", "one memory"),
        ("proposal-relaxed-simd", "without relaxed SIMD"),
        ("proposal-gc", "garbage collector"),
        ("proposal-stack-switching", "plain WebAssembly 2.0"),
    ];
    for (file, says) in table {
        let Outcome::Fault(fault) =
            judge(Twin::of(file).component(), if file == "evaluate-spins" { HASTY } else { PATIENT }).outcome
        else {
            panic!("{file}")
        };
        assert!(fault.remedy.as_ref().is_some_and(|remedy| remedy.as_str().contains(says)), "{file}: {fault:?}");
    }
}

#[test]
fn what_hangs_meets_its_deadline() {
    contained(FaultKind::Deadline);
}

#[test]
fn what_takes_memory_gets_no_more_than_it_may_have() {
    contained(FaultKind::Memory);
}

#[test]
fn what_recurses_meets_the_end_of_its_stack() {
    contained(FaultKind::Stack);
}

#[test]
fn what_crashes_takes_nothing_with_it() {
    contained(FaultKind::Trap);
}

#[test]
fn what_answers_too_much_or_nonsense_is_not_believed() {
    contained(FaultKind::Output);
}

#[test]
fn what_refuses_its_settings_is_heard() {
    contained(FaultKind::Settings);
}

#[test]
fn what_floods_the_host_is_cut_off() {
    contained(FaultKind::Limit);
}

#[test]
fn what_is_not_quite_our_world_is_refused() {
    contained(FaultKind::Interface);
}

#[test]
fn what_is_invalid_or_costs_a_compiler_too_much_does_not_load() {
    contained(FaultKind::Load);
}
