//! Hosts with a pool: every policy ends as it ends without one, and finds nothing of an earlier call.

use crate::corpus;
use crate::corpus::Row;
use crate::faults::blames;
use crate::guest::Twin;
use crate::isolation::COUNTING;
use crate::limits::TABLE;
use crate::trial::PATIENT;
use crate::trial::judge;
use crate::trial::judge_in_pool;
use smcp_model::limits::PolicyLimits;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

const PAGE: usize = 65_536;
/// Trials at the same time: each may hang until its deadline.
const AT_ONCE: usize = 4;

/// # Errors
/// What is wrong with one of the ends of a hostile policy.
fn end((file, limits, kind, says): &Row) -> Result<(), String> {
    let times = if *kind == FaultKind::Deadline { 1 } else { 3 };
    judge_in_pool(Twin::of(file).component(), *limits, times)
        .iter()
        .try_for_each(|evaluated| blames(evaluated, *kind, says).map_err(|found| format!("{file}: {found}")))
}

#[test]
fn every_hostile_policy_ends_as_without_a_pool() {
    let rows: Vec<_> = corpus::rows().collect();
    let wrong: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..AT_ONCE)
            .map(|first| {
                let mine = rows.iter().skip(first).step_by(AT_ONCE);
                scope.spawn(move || mine.filter_map(|row| end(row).err()).collect::<Vec<_>>())
            })
            .collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_call_sees_another_in_its_slot() {
    let pass = Outcome::Pass { notices: Vec::new() };
    for file in COUNTING {
        for evaluated in judge_in_pool(Twin::of(file).component(), PATIENT, 20) {
            assert_eq!(evaluated.outcome, pass, "{file}");
        }
    }
}

/// What a policy writes far behind its data, beyond what a slot keeps, in a memory that it has grown. Another one with
/// as much memory looks at all of it.
#[test]
fn no_policy_sees_what_another_one_has_left() {
    let writes = "(func $evaluate (param i32) (result i32)
        (drop (memory.grow (i32.const 200)))
        (memory.fill (i32.const 0x20000) (i32.const 0xa5) (i32.const 0xc80000))
        (i32.const 0x60))";
    let looks = "(func $evaluate (param i32) (result i32)
        (local $at i32)
        (drop (memory.grow (i32.const 200)))
        (local.set $at (i32.const 0x20000))
        (loop $more
          (if (i32.load8_u (local.get $at)) (then unreachable))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $at) (i32.const 0xca0000))))
        (i32.const 0x60))";
    let (writes, looks) = (Twin::honest().with(writes).component(), Twin::honest().with(looks).component());
    for _ in 0..3 {
        for component in [&writes, &looks] {
            for evaluated in judge_in_pool(component.clone(), PATIENT, 2) {
                assert_eq!(evaluated.outcome, Outcome::Pass { notices: Vec::new() });
                assert_eq!(evaluated.memory, judge(component.clone(), PATIENT).memory);
            }
        }
    }
}

#[test]
fn every_limit_on_a_running_policy_is_as_exact_in_a_pool() {
    for (file, most, kind, says) in TABLE {
        for evaluated in judge_in_pool(Twin::counting(file, *most).component(), PATIENT, 2) {
            assert!(matches!(evaluated.outcome, Outcome::Pass { .. }), "{file}: {:?}", evaluated.outcome);
        }
        for evaluated in judge_in_pool(Twin::counting(file, most + 1).component(), PATIENT, 2) {
            assert_eq!(blames(&evaluated, *kind, says), Ok(()), "{file}");
        }
    }
}

/// A slot has less room than a policy may have memory. At each size the answer, and what is told of it, are the same.
#[test]
fn what_a_slot_has_no_room_for_is_asked_again_elsewhere() {
    let roomy = PolicyLimits { memory: PolicyLimits::CEILING.memory, ..PATIENT };
    for mebibytes in [1, 15, 16, 17, 24, 32, 33, 512] {
        for file in ["limit-memory", "limit-memory-grown"] {
            let component = Twin::counting(file, mebibytes * 1024 * 1024 / PAGE).component();
            for limits in [PATIENT, roomy] {
                let own = judge(component.clone(), limits);
                for evaluated in judge_in_pool(component.clone(), limits, 3) {
                    assert_eq!(evaluated.outcome, own.outcome, "{file}, {mebibytes} MiB");
                    assert_eq!(evaluated.memory, own.memory, "{file}, {mebibytes} MiB");
                }
            }
        }
    }
}
