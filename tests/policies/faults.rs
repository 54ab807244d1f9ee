//! Policies that export the interface and fail in one place.

use std::sync::Arc;

use crate::guest::Twin;
use crate::trial::HASTY;
use crate::trial::PATIENT;
use crate::trial::judge;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::policy::PolicySpec;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

/// Memory for answers that are in bounds, and too large for another reason.
const ROOMY: PolicyLimits = PolicyLimits { memory: 2 << 30, ..PATIENT };

/// One memory less than a policy with two parts and an adapter between them has.
const TWO_MEMORIES: PolicyLimits = PolicyLimits { memories: 2, ..PATIENT };

/// The text, its limits, the fault, and words of the message.
type Row = (&'static str, PolicyLimits, FaultKind, &'static str);

const TABLE: &[Row] = &[
    ("evaluate-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("describe-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("check-settings-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("start-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("realloc-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("post-return-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("describe-post-return-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("bulk-fill-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("call-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("memory-grows", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-at-once", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-in-start", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-initial", PATIENT, FaultKind::Memory, "33554432"),
    ("recursion", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-wide", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-in-realloc", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("unreachable", PATIENT, FaultKind::Trap, "unreachable"),
    ("describe-unreachable", PATIENT, FaultKind::Trap, "unreachable"),
    ("start-unreachable", PATIENT, FaultKind::Trap, "unreachable"),
    ("realloc-unreachable", PATIENT, FaultKind::Trap, "unreachable"),
    ("post-return-unreachable", PATIENT, FaultKind::Trap, "unreachable"),
    ("divide-by-zero", PATIENT, FaultKind::Trap, "divide by zero"),
    ("integer-overflow", PATIENT, FaultKind::Trap, "integer overflow"),
    ("bad-conversion", PATIENT, FaultKind::Trap, "conversion to integer"),
    ("load-out-of-bounds", PATIENT, FaultKind::Trap, "out of bounds memory"),
    ("store-out-of-bounds", PATIENT, FaultKind::Trap, "out of bounds memory"),
    ("copy-out-of-bounds", PATIENT, FaultKind::Trap, "out of bounds memory"),
    ("data-out-of-bounds", PATIENT, FaultKind::Trap, "out of bounds memory"),
    ("call-null", PATIENT, FaultKind::Trap, "uninitialized element"),
    ("call-wrong-type", PATIENT, FaultKind::Trap, "indirect call type mismatch"),
    ("call-out-of-bounds", PATIENT, FaultKind::Trap, "undefined element"),
    ("post-return-calls-out", PATIENT, FaultKind::Trap, "cannot leave component instance"),
    ("realloc-calls-out", PATIENT, FaultKind::Trap, "cannot leave component instance"),
    ("log-level-discriminant", PATIENT, FaultKind::Limit, "unexpected discriminant: 77"),
    ("log-out-of-bounds", PATIENT, FaultKind::Limit, "out of bounds of memory"),
    ("log-utf8-invalid", PATIENT, FaultKind::Limit, "invalid utf-8"),
    ("string-of-one-gibibyte", ROOMY, FaultKind::Output, "too much data"),
    ("string-out-of-bounds", PATIENT, FaultKind::Output, "string pointer/length out of bounds"),
    ("five-million-strings", ROOMY, FaultKind::Output, "too much data"),
    ("five-million-findings", ROOMY, FaultKind::Output, "too much data"),
    ("five-million-problems", ROOMY, FaultKind::Output, "too much data"),
    ("list-length-overflows", PATIENT, FaultKind::Output, "list pointer/length out of bounds"),
    ("schema-of-a-megabyte", PATIENT, FaultKind::Output, "too much data"),
    ("utf8-invalid", PATIENT, FaultKind::Output, "invalid utf-8"),
    ("utf8-surrogate", PATIENT, FaultKind::Output, "invalid utf-8"),
    ("describe-utf8-invalid", PATIENT, FaultKind::Output, "invalid utf-8"),
    ("answer-out-of-bounds", PATIENT, FaultKind::Output, "pointer out of bounds"),
    ("answer-at-the-edge", PATIENT, FaultKind::Output, "pointer out of bounds"),
    ("answer-unaligned", PATIENT, FaultKind::Output, "pointer not aligned"),
    ("list-out-of-bounds", PATIENT, FaultKind::Output, "list pointer/length out of bounds"),
    ("list-unaligned", PATIENT, FaultKind::Output, "list pointer is not aligned"),
    ("option-discriminant", PATIENT, FaultKind::Output, "invalid option discriminant"),
    ("result-discriminant", PATIENT, FaultKind::Output, "invalid expected discriminant"),
    ("enum-discriminant", PATIENT, FaultKind::Output, "unexpected discriminant: 9"),
    ("realloc-out-of-bounds", PATIENT, FaultKind::Output, "realloc return: beyond end of memory"),
    ("realloc-unaligned", PATIENT, FaultKind::Output, "realloc return: result not aligned"),
    ("code-with-capitals", PATIENT, FaultKind::Output, "`Planted` is not a code"),
    ("code-empty", PATIENT, FaultKind::Output, "is not a code"),
    ("message-empty", PATIENT, FaultKind::Output, "`planted` has no message"),
    ("message-blank", PATIENT, FaultKind::Output, "`planted` has no message"),
    ("message-invisible", PATIENT, FaultKind::Output, "`planted` has no message: nothing in it can be seen"),
    ("describe-summary-invisible", PATIENT, FaultKind::Output, "something to see"),
    ("describe-schema-twice", PATIENT, FaultKind::Output, "the key `title` stands twice in one object"),
    ("settings-refused-invisibly", PATIENT, FaultKind::Output, "(`/allow`) without a message"),
    ("extensions-empty", PATIENT, FaultKind::Output, "20000 extensions together, and a verdict may have 256"),
    ("settings-refused-without-reason", PATIENT, FaultKind::Output, "names no problem"),
    ("describe-name", PATIENT, FaultKind::Output, "`../etc` is not a policy name"),
    ("describe-version", PATIENT, FaultKind::Output, "`1.0.x` is not SemVer"),
    ("describe-summary", PATIENT, FaultKind::Output, "its summary"),
    ("describe-schema", PATIENT, FaultKind::Output, "is not a JSON Schema"),
    ("describe-schema-list", PATIENT, FaultKind::Output, "is not a JSON Schema"),
    ("settings-refused", PATIENT, FaultKind::Settings, "/allow: must be a list of /s/"),
    ("log-flood", PATIENT, FaultKind::Limit, "more than 200 lines or 65536 bytes"),
    ("log-one-huge-line", PATIENT, FaultKind::Limit, "too much data"),
    ("table-grows", PATIENT, FaultKind::Limit, "one may have 20000"),
    ("many-instances", PATIENT, FaultKind::Limit, "more than 64 core instances"),
    ("adapter-between-parts", TWO_MEMORIES, FaultKind::Limit, "it has 3 linear memories in all its parts"),
    ("many-memories", PATIENT, FaultKind::Limit, "it has 9 linear memories in all its parts, and a policy may have 8"),
    ("handles-in-start", PATIENT, FaultKind::Limit, "a call from inside it was refused: "),
    ("proposal-memory64", PATIENT, FaultKind::Load, "memory64"),
    ("proposal-table64", PATIENT, FaultKind::Load, "memory64"),
    ("proposal-multi-memory", PATIENT, FaultKind::Load, "multiple memories"),
    ("proposal-shared-memory", PATIENT, FaultKind::Load, "threads"),
    ("proposal-atomics", PATIENT, FaultKind::Load, "threads"),
    ("proposal-exceptions", PATIENT, FaultKind::Load, "exceptions"),
    ("proposal-gc", PATIENT, FaultKind::Load, "gc"),
    ("proposal-gc-i31", PATIENT, FaultKind::Load, "gc"),
    ("proposal-function-references", PATIENT, FaultKind::Load, "function references"),
    ("proposal-relaxed-simd", PATIENT, FaultKind::Load, "relaxed SIMD"),
    ("proposal-stack-switching", PATIENT, FaultKind::Load, "stack switching"),
    ("proposal-custom-page-sizes", PATIENT, FaultKind::Load, "custom page sizes"),
    ("proposal-wide-arithmetic", PATIENT, FaultKind::Load, "wide arithmetic"),
    ("proposal-async-stream", PATIENT, FaultKind::Load, "async"),
    ("proposal-async-future", PATIENT, FaultKind::Load, "async"),
    ("proposal-async-task", PATIENT, FaultKind::Load, "async"),
    ("proposal-error-context", PATIENT, FaultKind::Load, "error-context"),
];

pub(crate) fn files() -> Vec<&'static str> {
    TABLE.iter().map(|(file, ..)| *file).collect()
}

/// Every hostile policy of one kind ends as a fault of that kind, which blocks in strict mode.
#[track_caller]
fn contained(kind: FaultKind) {
    let rows: Vec<_> = TABLE.iter().filter(|(_, _, expected, _)| *expected == kind).collect();
    assert!(!rows.is_empty(), "no hostile policy ends as {kind:?}");
    let wrong: Vec<_> = rows
        .into_iter()
        .filter_map(|(file, limits, _, says)| {
            let evaluated = judge(Twin::of(file).component(), *limits);
            blames(&evaluated, kind, says).err().map(|found| format!("{file}: {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "expected {kind:?}\n{}", wrong.join("\n"));
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
fn what_needs_a_proposal_that_is_off_does_not_load() {
    contained(FaultKind::Load);
}
