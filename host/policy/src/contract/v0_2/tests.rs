//! Policies of two versions in one set, whose verdicts count together.

use serde_json::json;
use wit_component::ComponentEncoder;
use wit_component::StringEncoding;
use wit_parser::Resolve;

use crate::bound::Bound;
use crate::component::Component;
use crate::host::PolicyHost;
use crate::request;
use crate::set::PolicySet;
use crate::set::decision;
use crate::shape::ComponentShape;
use smcp_model::mode::Effect;
use smcp_model::mode::OnWarn;
use smcp_model::policy::BuiltIn;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;

/// A policy of 0.2: it stops packages with a score below 50, and says their name; it notes those without a licence.
const GUEST: &str = r#"(module
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (data (i32.const 0) "newer0.2.1of a later version{}it takes nonelow-scoreno-licenceit has no licence")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.set $free (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func $text (param $place i32) (param $at i32) (param $length i32)
    (i32.store (local.get $place) (local.get $at))
    (i32.store offset=4 (local.get $place) (local.get $length)))
  (func (export "smcp:policy/evaluator@0.2.0#describe") (result i32)
    (call $text (i32.const 1024) (i32.const 0) (i32.const 5))
    (call $text (i32.const 1032) (i32.const 5) (i32.const 5))
    (call $text (i32.const 1040) (i32.const 10) (i32.const 18))
    (call $text (i32.const 1048) (i32.const 28) (i32.const 2))
    (i32.store8 (i32.const 1056) (i32.const 1))
    (i32.const 1024))
  (func (export "smcp:policy/evaluator@0.2.0#check") (param $settings i32) (param $length i32) (result i32)
    (i32.store8 (i32.const 1100) (i32.ne (local.get $length) (i32.const 2)))
    (call $text (i32.const 1104) (i32.const 30) (i32.const 13))
    (i32.const 1100))
  (func (export "smcp:policy/evaluator@0.2.0#judge")
    (param $name i32) (param $name-length i32) (param i32 i32) (param $scored i32) (param $score i32)
    (param $licensed i32) (param i32 i32) (param i64) (param i32 i32) (result i32)
    (local $count i32)
    (if (i32.or (i32.eqz (local.get $scored)) (i32.lt_u (local.get $score) (i32.const 50)))
      (then
        (call $text (i32.const 1200) (i32.const 43) (i32.const 9))
        (call $text (i32.const 1208) (local.get $name) (local.get $name-length))
        (i32.store8 (i32.const 1216) (i32.const 0))
        (local.set $count (i32.const 1))))
    (if (i32.eqz (local.get $licensed))
      (then
        (call $text (i32.add (i32.const 1200) (i32.mul (local.get $count) (i32.const 20))) (i32.const 52) (i32.const 10))
        (call $text (i32.add (i32.const 1208) (i32.mul (local.get $count) (i32.const 20))) (i32.const 62) (i32.const 17))
        (i32.store8 (i32.add (i32.const 1216) (i32.mul (local.get $count) (i32.const 20))) (i32.const 1))
        (local.set $count (i32.add (local.get $count) (i32.const 1)))))
    (call $text (i32.const 1300) (i32.const 1200) (local.get $count))
    (i32.const 1300)))"#;

fn component() -> Vec<u8> {
    let mut module = wat::parse_str(GUEST).unwrap();
    let mut resolve = Resolve::default();
    let wit = include_str!("../../../../../tests/wit/0.2/policy.wit");
    let package = resolve.push_source("policy.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some("policy")).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

fn set(settings: serde_json::Value) -> PolicySet {
    let host = PolicyHost::new().unwrap();
    let newer = PolicySpec::file("newer".parse().unwrap(), "/newer.wasm", settings);
    let score = PolicySpec::built_in(BuiltIn::Score, json!({"min_score": 80}));
    PolicySet::load(
        &host,
        [
            Bound::new(newer, Ok(Component::new(component()))).unwrap(),
            Bound::new(score, Ok(Component::built_in(BuiltIn::Score))).unwrap(),
        ],
    )
}

#[test]
fn policies_of_two_versions_judge_together() {
    let set = set(json!({}));
    let newer = set.policies()[0].description().unwrap();
    assert_eq!((newer.name.as_str(), newer.version.to_string().as_str()), ("newer", "0.2.1"));
    assert_eq!(newer.on_warn, OnWarn::Confirm);
    let context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
    let licensed = r#""manifest": "{\"license\": \"MIT\"}""#;
    for (facts, newer, older, effect) in [
        (format!(r#"{{"org": "acme", "name": "tool", "score": 90, {licensed}}}"#), "", "", Effect::Pass),
        (
            format!(r#"{{"org": "acme", "name": "tool", "score": 60, {licensed}}}"#),
            "",
            "score-below-minimum",
            Effect::Block,
        ),
        (
            format!(r#"{{"org": "acme", "name": "tool", "score": 10, {licensed}}}"#),
            "low-score acme/tool",
            "score-below-minimum",
            Effect::Block,
        ),
        (r#"{"score": 90}"#.to_owned(), "(no-licence)", "", Effect::Pass),
    ] {
        let evaluated = set.evaluate(&request::from_document(facts.as_bytes(), context).unwrap());
        let said: Vec<String> = evaluated.iter().map(|policy| words(&policy.outcome)).collect();
        assert_eq!(said[0], newer, "{facts}");
        assert_eq!(said[1].split(' ').next().unwrap_or_default(), older, "{facts}");
        assert_eq!(decision(&evaluated), effect, "{facts}");
    }
}

/// Violations with their messages, and the codes of notices in brackets.
fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Pass { notices } => notices.iter().map(|notice| format!("({})", notice.code)).collect(),
        Outcome::Violation { verdict, .. } => {
            verdict.violations.iter().map(|it| format!("{} {}", it.code, it.message.as_str())).collect()
        }
        Outcome::Fault(_) | Outcome::Skipped | Outcome::Waived { .. } => format!("{outcome:?}"),
    }
}

#[test]
fn each_version_has_its_own_settings_and_its_own_log() {
    let set = set(json!({"a": 1}));
    let fault = set.policies()[0].fault().unwrap();
    assert_eq!((fault.kind, fault.message.as_str()), (FaultKind::Settings, "it takes none"));
    let shape = ComponentShape::of(&component(), usize::MAX).unwrap();
    assert_eq!(shape.check(), Ok(()));
    let mixed = ComponentShape { imports: vec![crate::contract::LOGGING.to_owned()], ..shape.clone() };
    assert_eq!(mixed.check().unwrap_err().kind, FaultKind::Interface, "the log of another version");
    let both =
        ComponentShape { exports: crate::contract::SERVED.iter().map(|(it, _)| (*it).to_owned()).collect(), ..shape };
    assert_eq!(both.check().unwrap_err().kind, FaultKind::Interface, "two contracts");
}
