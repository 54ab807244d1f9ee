//! The laws of comparing two configurations, over generated rules and packages.
//!
//! Every decision is the one that would be made alone; a configuration compared with itself changes nothing; the way back
//! is the mirror of the way there; the same comparison says the same again.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::bed::ROOT;
use crate::session;
use crate::session::NOW;
use smcp_model::diff::ChangedPackage;
use smcp_model::diff::Totals;
use smcp_model::diff::Transition;
use smcp_model::facts_document;
use smcp_model::mode::Effect;
use smcp_model::progress::Unwatched;
use smcp_model::request::Context;
use smcp_model::request::Subject;
use smcp_pipeline as pipeline;
use smcp_pipeline::Compared;
use smcp_pipeline::Session;
use smcp_pipeline::SharedHost;
use smcp_pipeline::WhatIf;

const CONTEXT: Context = Context { evaluated_at: NOW, trust: false, interactive: false };

/// Rules of one layer, as a configuration has them.
fn rules() -> impl Strategy<Value = String> {
    let modes = proptest::array::uniform4(proptest::sample::select(vec!["disabled", "warn", "strict"]));
    let origins = proptest::sample::subsequence(vec!["official", "verified", "community"], 0..=3);
    let exception = proptest::sample::select(vec!["origin", "certification", "score", "no-network"]);
    let exceptions = proptest::collection::vec((0..4_u8, exception), 0..3);
    let values = (0..=100_u8, 0..=3_u8, origins, proptest::sample::subsequence(vec!["a.example.com"], 0..=1));
    (values, modes, exceptions, any::<bool>()).prop_map(|(values, modes, exceptions, trusts)| {
        let ((score, level, origins, hosts), [origin, cert, score_mode, custom]) = (values, modes);
        let exceptions: Vec<_> = exceptions
            .iter()
            .map(|(number, policy)| {
                format!("{{package: acme/tool-{number}, policies: [{policy}], reason: r, until: 2027-12-31}}")
            })
            .collect();
        let trusts = if trusts { "trusted_registries: [https://a.example.com]\n" } else { "" };
        format!(
            "{trusts}policy: {{allowed_origins: [{}], min_cert_level: {level}, min_score: {score}, origin_mode: {origin}, \
             cert_mode: {cert}, score_mode: {score_mode}, custom: [{{name: no-network, source: no_network.wasm, mode: \
             {custom}, settings: {{allow: [{}]}}}}], exceptions: [{}]}}\n",
            origins.join(", "),
            hosts.join(", "),
            exceptions.join(", ")
        )
    })
}

/// The facts of packages `acme/tool-0` and so on.
fn packages() -> impl Strategy<Value = Vec<Value>> {
    let word = |words: &[&'static str]| proptest::option::of(proptest::sample::select(words.to_vec()));
    let package = (
        word(&["official", "verified", "community"]),
        proptest::option::of(0..=3_u8),
        proptest::option::of(0..=100_u8),
        word(&["published", "deprecated", "revoked"]),
        word(&["https://a.example.com", "https://b.example.com"]),
        word(&["a.example.com", "b.example.com"]),
    );
    proptest::collection::vec(package, 0..40).prop_map(|all| {
        let numbered = all.into_iter().enumerate();
        let document = |(number, (origin, level, score, status, registry, host)): (usize, _)| {
            let host: Option<&str> = host;
            let permissions = host.map(|host| {
                json!({"network": [host], "filesystem_read": [], "filesystem_write": [], "environment": [],
                       "subprocess": false})
            });
            json!({"org": "acme", "name": format!("tool-{number}"), "version": "1.0.0", "origin": origin,
                   "cert_level": level, "score": score, "status": status, "registry": registry,
                   "permissions": permissions})
        };
        numbered.map(document).collect()
    })
}

/// A home with the component that the rules name.
struct Home {
    folder: TempDir,
    host: SharedHost,
}

impl Home {
    fn new() -> Self {
        let home = Self { folder: TempDir::new().unwrap(), host: SharedHost::default() };
        let component = format!("{ROOT}/examples/policies/dist/no_network.wasm");
        std::fs::copy(component, home.folder.path().join("no_network.wasm")).unwrap();
        home
    }

    fn session(&self, rules: &str) -> Session {
        session::of(rules, self.folder.path(), &self.host)
    }
}

fn subject(document: &Value) -> Result<Subject, String> {
    let read = facts_document::read(document.to_string().as_bytes(), Path::new("/"), None);
    read.map_err(|error| error.to_string())
}

/// What a comparison says: its counts, and each change.
fn compare(from: &Session, to: &Session, packages: &[Value]) -> (Totals, Vec<ChangedPackage>) {
    let what_if = WhatIf::new(from, to, CONTEXT, &mut Unwatched).unwrap();
    let (mut totals, mut changes) = (Totals::default(), Vec::new());
    for compared in what_if.of_each(packages, subject, |_, compared| compared) {
        match compared.unwrap() {
            Compared::Unchanged(effect) => totals.unchanged(effect),
            Compared::Changed(changed) => {
                totals.changed(&changed);
                changes.push(*changed);
            }
        }
    }
    (totals, changes)
}

/// The decision about a package alone.
fn alone(session: &Session, document: &Value) -> Effect {
    let judged = pipeline::evaluate_facts(session, subject(document).unwrap(), CONTEXT, &mut Unwatched);
    judged.map_or(Effect::Block, |judged| judged.ruling.effect())
}

/// The same changes seen from the other side. Policies that are new stand at the end, so their order is another.
fn mirrored(changed: &ChangedPackage) -> Value {
    let mut mirror = changed.clone();
    std::mem::swap(&mut mirror.from, &mut mirror.to);
    mirror.refusals = (mirror.refusals.1, mirror.refusals.0);
    mirror.policies.iter_mut().for_each(|policy| std::mem::swap(&mut policy.from, &mut policy.to));
    sorted(&mirror)
}

fn sorted(changed: &ChangedPackage) -> Value {
    let mut sorted = changed.clone();
    sorted.policies.sort_by_key(|policy| (policy.layer, policy.name.clone()));
    sorted.document()
}

#[test]
fn a_comparison_is_two_decisions_and_can_be_turned_around() {
    let home = Home::new();
    let config = ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&(rules(), rules(), packages()), |(from, to, packages)| {
            let (from, to) = (home.session(&from), home.session(&to));
            let (totals, changes) = compare(&from, &to, &packages);
            // Each decision is the one that would be made alone.
            let changed: BTreeMap<_, _> =
                changes.iter().map(|changed| (changed.package.to_string(), (changed.from, changed.to))).collect();
            for document in &packages {
                let (before, after) = (alone(&from, document), alone(&to, document));
                let found = changed.get(&subject(document).unwrap().label()).copied();
                prop_assert_eq!(found, (before != after).then_some((before, after)), "{}", document);
            }
            prop_assert_eq!(totals.packages(), packages.len() as u64);
            // The same again.
            let again = compare(&from, &to, &packages);
            prop_assert_eq!(&again, &(totals.clone(), changes.clone()));
            // The way back.
            let (back, changes_back) = compare(&to, &from, &packages);
            prop_assert_eq!(
                changes_back.iter().map(sorted).collect::<Vec<_>>(),
                changes.iter().map(mirrored).collect::<Vec<_>>()
            );
            for one in Effect::ALL {
                for other in Effect::ALL {
                    prop_assert_eq!(back.of(one, other), totals.of(other, one));
                }
            }
            // Itself.
            let (same, none) = compare(&from, &from, &packages);
            prop_assert!(none.is_empty() && same.is_unchanged());
            prop_assert_eq!(same.count(Transition::Unchanged), packages.len() as u64);
            Ok(())
        })
        .unwrap();
}
