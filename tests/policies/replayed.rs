//! The laws of deciding again, over generated configurations, policies and packages.
//!
//! The same rules give the same record, byte for byte but for times. A rule that is made stricter never turns a block into a
//! pass.

use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::bed::ROOT;
use crate::guest::Twin;
use crate::session;
use crate::session::NOW;
use smcp_model::decision::Consent;
use smcp_model::facts_document;
use smcp_model::mode::Effect;
use smcp_model::progress::Unwatched;
use smcp_model::record::Body;
use smcp_model::record::DecisionRecord;
use smcp_model::record::Record;
use smcp_model::request::Context;
use smcp_pipeline as pipeline;
use smcp_pipeline::Activity;
use smcp_pipeline::Recorder;
use smcp_pipeline::Replayed;
use smcp_pipeline::Replayer;
use smcp_pipeline::Session;
use smcp_pipeline::SharedHost;

/// Rules, each of which can be made stricter by itself.
#[derive(Debug, Clone)]
struct Rules {
    min_score: u8,
    min_cert_level: u8,
    /// `None` allows any.
    origins: Option<Vec<&'static str>>,
    enforce: bool,
    threshold: u8,
    /// Of `origin`, `cert`, `score`, and the two components: 0 is disabled, 2 strict.
    modes: [usize; 5],
    /// The hosts that the first component allows.
    hosts: Vec<&'static str>,
    exceptions: Vec<(&'static str, &'static str)>,
    trusts: bool,
}

const MODES: [&str; 3] = ["disabled", "warn", "strict"];
const REGISTRIES: [&str; 2] = ["https://a.example.com", "https://b.example.com"];
const HOSTS: [&str; 3] = ["a.example.com", "b.example.com", "c.example.com"];

impl Rules {
    fn written(&self) -> String {
        let Self { min_score, min_cert_level, origins, enforce, threshold, modes, hosts, exceptions, trusts } = self;
        let origins =
            origins.as_ref().map(|list| format!("allowed_origins: [{}], ", list.join(", "))).unwrap_or_default();
        let enforce = if *enforce { "enforce" } else { "notice" };
        let [origin, cert, score, first, second] = modes.map(|mode| MODES[mode]);
        let custom = format!(
            "{{name: no-network, source: no_network.wasm, mode: {first}, settings: {{allow: [{}]}}}}, \
             {{name: never, source: never.wasm, mode: {second}, on_warn: confirm}}",
            hosts.join(", ")
        );
        let exceptions: Vec<_> = exceptions
            .iter()
            .map(|(package, policy)| {
                format!("{{package: {package}, policies: [{policy}], reason: r, until: 2027-12-31}}")
            })
            .collect();
        let trusts = if *trusts { "trusted_registries: [https://a.example.com]\n" } else { "" };
        format!(
            "{trusts}policy: {{{origins}min_cert_level: {min_cert_level}, min_score: {min_score}, cert_score_check: \
             {enforce}, warning_threshold: {threshold}, origin_mode: {origin}, cert_mode: {cert}, score_mode: {score}, \
             custom: [{custom}], exceptions: [{}]}}\n",
            exceptions.join(", ")
        )
    }

    /// The same with one rule made stricter.
    fn stricter(&self, which: usize, by: u8) -> Self {
        let mut rules = self.clone();
        match which {
            0 => rules.min_score = rules.min_score.saturating_add(by).min(100),
            1 => rules.min_cert_level = (rules.min_cert_level + 1).min(3),
            2 => {
                let mut origins = rules.origins.unwrap_or_else(|| vec!["official", "verified", "community"]);
                origins.pop();
                rules.origins = Some(origins);
            }
            3 => rules.enforce = true,
            4..=8 => rules.modes[which - 4] = (rules.modes[which - 4] + 1).min(2),
            9 => drop(rules.hosts.pop()),
            _ => drop(rules.exceptions.pop()),
        }
        rules
    }
}

fn rules() -> impl Strategy<Value = Rules> {
    let origins = proptest::sample::subsequence(vec!["official", "verified", "community"], 0..=3);
    let exception = (
        proptest::sample::select(vec!["acme/tool", "acme/tool@1.0.0", "acme/other"]),
        proptest::sample::select(vec!["origin", "certification", "score", "no-network", "never"]),
    );
    (
        (0..=100_u8, 0..=3_u8, proptest::option::of(origins), any::<bool>(), 0..=100_u8),
        proptest::array::uniform5(0..3_usize),
        proptest::sample::subsequence(HOSTS.to_vec(), 0..=3),
        proptest::collection::vec(exception, 0..3),
        any::<bool>(),
    )
        .prop_map(|(values, modes, hosts, exceptions, trusts)| {
            let (min_score, min_cert_level, origins, enforce, threshold) = values;
            Rules { min_score, min_cert_level, origins, enforce, threshold, modes, hosts, exceptions, trusts }
        })
}

/// A facts document of a package.
fn package() -> impl Strategy<Value = Value> {
    let origin = proptest::sample::select(vec!["official", "verified", "community", "in-house \u{1b}[31m"]);
    let status = proptest::sample::select(vec!["published", "deprecated", "revoked"]);
    (
        proptest::option::of(origin),
        proptest::option::of(0..=3_u8),
        proptest::option::of(0..=100_u8),
        proptest::option::weighted(0.9, status),
        proptest::option::of(proptest::sample::select(REGISTRIES.to_vec())),
        proptest::option::of(proptest::sample::subsequence(HOSTS.to_vec(), 0..=3)),
        any::<bool>(),
    )
        .prop_map(|(origin, level, score, status, registry, hosts, fetches)| {
            let permissions = hosts.map(|hosts| {
                json!({"network": hosts, "filesystem_read": [], "filesystem_write": [], "environment": [],
                       "subprocess": false})
            });
            let entrypoint = fetches.then(|| json!({"command": "npx", "args": ["-y", "x"]}));
            json!({"org": "acme", "name": "tool", "version": "1.0.0", "origin": origin, "cert_level": level,
                   "score": score, "status": status, "registry": registry, "permissions": permissions,
                   "entrypoint": entrypoint})
        })
}

/// A home with the components that the rules name.
struct Home {
    folder: TempDir,
    host: SharedHost,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: TempDir::new().unwrap(), host: SharedHost::default() };
        let never = Twin::honest().with("(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))").component();
        std::fs::write(home.path().join("never.wasm"), never).unwrap();
        let dist = format!("{ROOT}/examples/policies/dist/no_network.wasm");
        std::fs::copy(dist, home.path().join("no_network.wasm")).unwrap();
        home
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn session(&self, rules: &Rules) -> Session {
        session::of(&rules.written(), self.path(), &self.host)
    }

    /// Decides, records, and reads the record back.
    fn recorded(&self, session: &Session, package: &Value, trust: bool) -> DecisionRecord {
        let subject = facts_document::read(package.to_string().as_bytes(), self.path(), None).unwrap();
        let context = Context { evaluated_at: NOW, trust, interactive: false };
        let activity = Activity { command: "policy eval", asked: None };
        let (mut recorder, _) = Recorder::open(session, activity).unwrap();
        match pipeline::evaluate_facts(session, subject, context, &mut Unwatched) {
            Ok(judged) => {
                let answer = if trust { Consent::Trusted } else { Consent::NobodyToAsk };
                let consent = (judged.ruling.effect() == Effect::Ask).then_some(answer);
                recorder.decided(session, &judged, context, consent).unwrap();
            }
            Err(failed) => assert!(recorder.failed(&failed).is_none()),
        }
        let log = self.path().join(".mcp/audit.jsonl");
        let text = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(log).unwrap();
        let record = Record::read(&serde_json::from_str(&text).unwrap()).unwrap();
        let Body::Decision(decision) = record.body else { panic!("{text}") };
        *decision
    }
}

/// The bytes of a record without its times.
fn written(record: &DecisionRecord) -> String {
    let mut record = record.clone();
    record.decision.policies.iter_mut().for_each(|policy| policy.duration_us = 0);
    serde_json::to_string(&record).unwrap()
}

fn replayed(mut replayer: Replayer<'_>, record: &DecisionRecord) -> DecisionRecord {
    match replayer.again(std::slice::from_ref(record), &mut Unwatched).unwrap().pop() {
        Some(Replayed::Decided(again)) => *again,
        other => panic!("{other:?}: {record:?}"),
    }
}

fn run<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config).run(strategy, test).unwrap();
}

#[test]
fn the_same_rules_give_the_same_record() {
    let home = Home::new();
    run(200, &(rules(), package(), any::<bool>()), |(rules, package, trust)| {
        let session = home.session(&rules);
        let record = home.recorded(&session, &package, trust);
        let of_the_time = replayed(Replayer::of_the_time(&session), &record);
        prop_assert_eq!(written(&of_the_time), written(&record));
        // Another session, as another process would have.
        let again = home.session(&rules);
        let by_configuration = replayed(Replayer::with(&again, &mut Unwatched).unwrap(), &record);
        prop_assert_eq!(written(&by_configuration), written(&record));
        Ok(())
    });
}

#[test]
fn a_stricter_rule_never_turns_a_block_into_a_pass() {
    let home = Home::new();
    run(200, &(rules(), package(), any::<bool>(), 0..11_usize, 1..100_u8), |(rules, package, trust, which, by)| {
        let record = home.recorded(&home.session(&rules), &package, trust);
        let stricter = home.session(&rules.stricter(which, by));
        let again = replayed(Replayer::with(&stricter, &mut Unwatched).unwrap(), &record);
        prop_assert!(again.decision.decision >= record.decision.decision, "{which}: {:?}", again.decision);
        Ok(())
    });
}
