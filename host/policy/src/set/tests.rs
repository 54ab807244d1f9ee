//! Sets that are evaluated more than once and from several threads.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use serde_json::json;

use super::*;
use crate::compile::CompileOrder;
use crate::compile::Compiler;
use crate::compile::InProcess;
use crate::compile::NotCompiled;
use crate::machine_code::MachineCode;
use crate::request;
use smcp_model::policy::BuiltIn;
use smcp_model::request::Context;
use smcp_model::verdict::FaultKind;

const CONTEXT: Context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
const SCORE: &[u8] = include_bytes!("../../../../builtin-policies/dist/score.wasm");

fn built_in(policy: BuiltIn, settings: serde_json::Value) -> Bound {
    Bound::new(PolicySpec::built_in(policy, settings), Ok(Component::built_in(policy))).unwrap()
}

fn from_file(name: &str, settings: serde_json::Value) -> Bound {
    let spec = PolicySpec::file(name.parse().unwrap(), "/policies/score.wasm", settings);
    Bound::new(spec, Ok(Component::new(SCORE.to_vec()))).unwrap()
}

fn facts(document: &str) -> Request {
    request::from_document(document.as_bytes(), CONTEXT).unwrap()
}

/// Built-ins, a file, one that refuses its settings, one that is not a component, and a disabled one.
fn mixed(host: &PolicyHost) -> PolicySet {
    let nothing = PolicySpec::file("nothing".parse().unwrap(), "/policies/nothing.wasm", json!({}));
    let disabled = PolicySpec { mode: Mode::Disabled, ..nothing.clone() };
    PolicySet::load(
        host,
        [
            built_in(BuiltIn::Origin, json!({"allowed_origins": ["official"]})),
            built_in(BuiltIn::Score, json!({"min_score": 80})),
            from_file("file", json!({"min_score": 50})),
            from_file("refusing", json!({"min_scroe": 50})),
            Bound::new(nothing, Ok(Component::new(b"nothing".to_vec()))).unwrap(),
            Bound::new(disabled, Err(Unreadable::Disabled)).unwrap(),
        ],
    )
}

/// The results as text, without the durations.
fn results(evaluated: &[Evaluated]) -> Vec<String> {
    let result =
        |it: &Evaluated| format!("{} {:?} {:?} {:?} {:?}", it.name(), it.on_warn, it.digest, it.version, it.outcome);
    evaluated.iter().map(result).collect()
}

#[test]
fn eight_threads_get_what_one_gets() {
    let host = PolicyHost::new().unwrap();
    let set = mixed(&host);
    let requests: Vec<_> = [
        r#"{"score": 90, "origin": "official"}"#,
        r#"{"score": 60, "origin": "community"}"#,
        r#"{"score": 10, "origin": "official"}"#,
        "{}",
    ]
    .map(facts)
    .into();
    let one_by_one: Vec<_> = requests.iter().map(|request| results(&set.evaluate(request))).collect();
    assert_eq!(
        one_by_one.iter().collect::<std::collections::BTreeSet<_>>().len(),
        4,
        "each request has its own answer"
    );
    thread::scope(|scope| {
        for first in 0..8 {
            let (set, requests, one_by_one) = (&set, &requests, &one_by_one);
            scope.spawn(move || {
                for round in 0..20 {
                    let at = (first + round) % requests.len();
                    assert_eq!(results(&set.evaluate(&requests[at])), one_by_one[at]);
                }
            });
        }
    });
}

#[test]
fn a_set_keeps_the_fault_and_the_description_of_each_policy() {
    let set = mixed(&PolicyHost::new().unwrap());
    let kinds: Vec<_> = set.policies().iter().map(|policy| policy.fault().map(|fault| fault.kind)).collect();
    assert_eq!(kinds, [None, None, None, Some(FaultKind::Settings), Some(FaultKind::Load), None]);
    let described: Vec<_> = set.policies().iter().map(|policy| policy.description().is_some()).collect();
    assert_eq!(described, [true, true, true, true, false, false]);
}

/// All three have the digest of the component that they are in.
#[test]
fn built_ins_with_the_same_settings_do_not_answer_alike() {
    let host = PolicyHost::new().unwrap();
    let load = || PolicySet::load(&host, BuiltIn::ALL.map(|policy| built_in(policy, json!({}))));
    let (ours, theirs) = (load(), load());
    for (place, policy) in ours.policies().iter().enumerate() {
        let alike: Vec<_> = theirs.policies().iter().map(|other| policy.answers_like(other)).collect();
        assert_eq!(alike, [0, 1, 2].map(|other| other == place), "{}", policy.spec().name);
    }
}

/// A compiler that counts its calls.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

impl Compiler for Counting {
    fn compile(&self, order: &CompileOrder<'_>) -> Result<MachineCode, NotCompiled> {
        self.0.fetch_add(1, Ordering::SeqCst);
        assert_eq!(order.digest, Digest::of(order.component));
        InProcess.compile(order)
    }
}

#[test]
fn the_same_bytes_are_compiled_once_while_they_are_in_use() {
    let counting = Counting::default();
    let host = PolicyHost::with_compiler(counting.clone()).unwrap();
    let load = || PolicySet::load(&host, [from_file("one", json!({})), from_file("two", json!({}))]);
    let sets: Vec<_> = thread::scope(|scope| {
        let loading: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        loading.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(counting.0.load(Ordering::SeqCst), 1);
    drop(sets);
    load();
    assert_eq!(counting.0.load(Ordering::SeqCst), 2, "unused code is not kept");
}

struct Panicking;

impl Compiler for Panicking {
    fn compile(&self, _: &CompileOrder<'_>) -> Result<MachineCode, NotCompiled> {
        panic!("planted")
    }
}

#[test]
fn a_compiler_that_panics_is_a_fault_of_the_policy() {
    let host = PolicyHost::with_compiler(Panicking).unwrap();
    let set = PolicySet::load(&host, [from_file("file", json!({})), built_in(BuiltIn::Score, json!({}))]);
    let [broken, whole] = set.policies() else { panic!("{set:?}") };
    assert_eq!(broken.fault().unwrap().kind, FaultKind::Panic);
    assert_eq!(whole.fault(), None);
}

#[test]
fn the_first_decision_shares_its_deadline_with_loading_and_later_ones_do_not() {
    let host = PolicyHost::new().unwrap();
    let mut set = PolicySet::load(&host, [from_file("file", json!({}))]);
    let policy = &mut set.policies[0];
    let Readiness::Ready(ready) = &mut policy.readiness else { panic!("{policy:?}") };
    let spent = *ready.spent.lock().unwrap();
    assert!(ready.loaded.describing > Duration::ZERO && spent > ready.loaded.describing, "both take some of it");
    *ready.spent.lock().unwrap() = policy.spec.limits.time;
    let request = facts(r#"{"score": 90}"#);
    let Outcome::Fault(fault) = &set.evaluate(&request)[0].outcome else { panic!("it has no time left") };
    assert_eq!(fault.kind, FaultKind::Deadline);
    assert!(matches!(set.evaluate(&request)[0].outcome, Outcome::Pass { .. }));
}

#[test]
fn no_policies_are_no_permission() {
    let host = PolicyHost::new().unwrap();
    assert_eq!(decision(&PolicySet::load(&host, []).evaluate(&facts("{}"))), Effect::Block);
}
