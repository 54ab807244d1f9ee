//! A policy leaves nothing behind.
//!
//! Not for its own next call, not for another policy, and not on a terminal.

use crate::guest::Twin;
use crate::trial::HASTY;
use crate::trial::PATIENT;
use crate::trial::judge;
use crate::trial::judge_in;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;

/// Policies that would refuse, or crash, if anything of an earlier call were left.
pub(crate) const COUNTING: [&str; 6] = [
    "counts-its-calls",
    "counts-in-memory",
    "counts-by-its-memory",
    "counts-by-its-table",
    "counts-by-dropping",
    "counts-by-handles",
];

pub(crate) fn files() -> Vec<&'static str> {
    [&["honest", "violates", "steers-the-terminal"], &COUNTING[..]].concat()
}

/// The control of the whole suite: the result of every hostile twin if it were not hostile.
#[test]
fn the_honest_twin_passes() {
    let evaluated = judge(Twin::honest().valid_component(), PATIENT);
    assert_eq!(evaluated.outcome, Outcome::Pass { notices: Vec::new() });
    assert_eq!(evaluated.effect(), Effect::Pass);
    assert_eq!(evaluated.on_warn, OnWarn::Confirm);
    assert_eq!(evaluated.version.unwrap().as_str(), "1.0.0");
}

#[test]
fn a_twin_that_refuses_violates_and_does_not_fault() {
    let evaluated = judge(Twin::of("violates").valid_component(), PATIENT);
    let Outcome::Violation { verdict, .. } = &evaluated.outcome else { panic!("{:?}", evaluated.outcome) };
    let [finding] = verdict.violations.as_slice() else { panic!("{verdict:?}") };
    assert_eq!((finding.code.as_str(), finding.message.as_str()), ("planted", "it was planted"));
    assert_eq!(evaluated.effect(), Effect::Block);
}

#[test]
fn no_call_sees_another() {
    for file in COUNTING {
        let component = Twin::of(file).component();
        for round in 1..=3 {
            let outcome = judge(component.clone(), PATIENT).outcome;
            assert_eq!(outcome, Outcome::Pass { notices: Vec::new() }, "{file}, round {round}");
        }
    }
}

#[test]
fn a_policy_that_breaks_changes_no_other_ones_outcome() {
    let breaking = [
        "unreachable",
        "recursion",
        "memory-grows",
        "evaluate-spins",
        "string-of-half-a-gibibyte",
        "post-return-spins",
    ];
    std::thread::scope(|scope| {
        for file in breaking {
            scope.spawn(move || judge(Twin::of(file).component(), HASTY));
        }
        for _ in 0..10 {
            let honest = judge(Twin::honest().component(), PATIENT);
            assert_eq!(honest.outcome, Outcome::Pass { notices: Vec::new() });
            let violates = judge(Twin::of("violates").component(), PATIENT);
            assert!(matches!(violates.outcome, Outcome::Violation { .. }), "{:?}", violates.outcome);
        }
    });
}

#[test]
fn what_a_fault_leads_to_under_warn() {
    // Until `describe` has answered, the component's `on-warn` is unknown, and the configuration decides; after it the
    // component's own value counts, unless the configuration has one. The honest twin says `confirm`.
    let table = [
        ("describe-unreachable", None, Effect::Warn),
        ("describe-unreachable", Some(OnWarn::Notify), Effect::Warn),
        ("describe-unreachable", Some(OnWarn::Confirm), Effect::Ask),
        ("start-unreachable", None, Effect::Warn),
        ("start-unreachable", Some(OnWarn::Confirm), Effect::Ask),
        ("unreachable", None, Effect::Ask),
        ("unreachable", Some(OnWarn::Notify), Effect::Warn),
        ("unreachable", Some(OnWarn::Confirm), Effect::Ask),
        ("settings-refused", None, Effect::Ask),
        ("settings-refused", Some(OnWarn::Notify), Effect::Warn),
    ];
    for (file, on_warn, effect) in table {
        let component = Twin::of(file).component();
        assert_eq!(judge_in(Mode::Warn, on_warn, component.clone(), PATIENT).effect(), effect, "{file} {on_warn:?}");
        assert_eq!(judge_in(Mode::Strict, on_warn, component, PATIENT).effect(), Effect::Block, "{file} {on_warn:?}");
    }
}

/// The component would hang, so the test passes only if nothing of it runs.
#[test]
fn a_disabled_policy_is_not_run() {
    let evaluated = judge_in(Mode::Disabled, None, Twin::of("start-spins").component(), PATIENT);
    assert_eq!(evaluated.outcome, Outcome::Skipped);
}

#[test]
fn nothing_that_a_policy_says_steers_a_terminal() {
    let evaluated = judge(Twin::of("steers-the-terminal").component(), PATIENT);
    let Outcome::Violation { verdict, .. } = evaluated.outcome else { panic!("{:?}", evaluated.outcome) };
    let harmless =
        "\\u{1b}[2J\\u{1b}[31mred \\u{1b}]8;;http://x\\u{7}link \\u{202e}live \\u{9b}csi\\u{0}  smcp: allowed";
    let [violation] = verdict.violations.as_slice() else { panic!("{:?}", verdict.violations) };
    let [notice] = verdict.notices.as_slice() else { panic!("{:?}", verdict.notices) };
    for Finding { code, message, fact, remedy, extensions } in [violation, notice] {
        assert_eq!(code.as_str(), "planted");
        let [(name, value)] = extensions.as_slice() else { panic!("{extensions:?}") };
        for text in [message, fact.as_ref().unwrap(), remedy.as_ref().unwrap(), name, value] {
            assert_eq!(text.as_str(), harmless);
        }
    }
}

/// Every text of a policy, with characters that people don't see and programs read.
#[test]
fn nothing_that_a_policy_says_is_hidden() {
    let hidden = [
        "\u{1bca0}",
        "\u{1bca3}",
        "\u{1d173}",
        "\u{1d17a}",
        "\u{13430}",
        "\u{1343f}",
        "\u{1d159}",
        "\u{16fe4}",
        "\u{115f}",
        "\u{1160}",
        "\u{3164}",
        "\u{ffa0}",
        "\u{fe0f}",
        "\u{e0100}",
        "\u{e0041}",
        "\u{200d}",
        "\u{2066}",
        "\u{e000}",
    ];
    for hidden in hidden {
        let escaped = hidden.chars().next().unwrap().escape_unicode();
        let bytes: String = hidden.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        let text = |place: &str| format!("(data $message (i32.const {place}) \"ab{bytes}\")");
        let length = 2 + hidden.len();
        let finding = format!(
            "(data $finding (i32.const 0x80) (i32 0x180 7 0x200 {length} 1 0x200 {length} 1 0x200 {length} 0x300 1))
             (data $extension (i32.const 0x300) (i32 0x200 {length} 0x200 {length}))
             (data $verdict (i32.const 0x60) (i32 0x80 1 0x80 1))"
        );
        let component = Twin::honest().with(&text("0x200")).with(&finding).component();
        let Outcome::Violation { verdict, .. } = judge(component, PATIENT).outcome else { panic!("{escaped}") };
        for Finding { message, fact, remedy, extensions, .. } in verdict.violations.iter().chain(&verdict.notices) {
            let [(name, value)] = extensions.as_slice() else { panic!("{extensions:?}") };
            for said in [message, fact.as_ref().unwrap(), remedy.as_ref().unwrap(), name, value] {
                assert_eq!(said.as_str(), format!("ab{escaped}"));
            }
        }
    }
}

/// A fault quotes texts of the guest, and the same rule holds for them.
#[test]
fn nothing_in_a_fault_steers_a_terminal() {
    let colour = r#"(data $version (i32.const 0x110) "\1b[31m")"#;
    let forged = r#"(data $answer (i32.const 0x40) (i32 1 0x50 1)) (data $complaint (i32.const 0x160) "\0a\1b]0;title\07 bad value")"#;
    for text in [colour, forged] {
        let Outcome::Fault(fault) = judge(Twin::honest().with(text).component(), PATIENT).outcome else { panic!() };
        assert!(fault.message.as_str().contains("\\u{1b}"), "{fault:?}");
        assert!(!fault.message.as_str().contains(char::is_control), "{fault:?}");
    }
}
