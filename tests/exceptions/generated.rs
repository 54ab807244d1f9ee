//! Generated packages, outcomes and exceptions, few enough that they meet.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use smcp_decide::InForce;
use smcp_decide::Occasion;
use smcp_model::digest::Digest;
use smcp_model::exception::Exception;
use smcp_model::mode::Effect;
use smcp_model::mode::Mode;
use smcp_model::mode::OnWarn;
use smcp_model::name::FindingCode;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::Verdict;

/// Noon of 2027-01-15, in seconds since the Unix epoch: the time of every decision here.
pub(crate) const NOON: u64 = 1_800_014_400;

pub(crate) const POLICIES: [&str; 3] = ["one", "two", "three"];
pub(crate) const CODES: [&str; 3] = ["red", "green", "blue"];
/// Days before, of and after the decision.
const DAYS: [&str; 4] = ["2027-01-14", "2027-01-15", "2027-01-16", "9999-12-31"];

pub(crate) fn layers() -> impl Strategy<Value = LayerName> + Clone {
    select(&LayerName::ALL[..])
}

pub(crate) fn finding(code: &str) -> Finding {
    let code = code.parse().unwrap();
    Finding { code, message: SafeText::new("planted"), fact: None, remedy: None, extensions: Vec::new() }
}

fn findings() -> impl Strategy<Value = Vec<Finding>> {
    prop::collection::vec(select(&CODES[..]).prop_map(finding), 0..4)
}

/// What a policy can end in before exceptions are looked at.
fn outcomes() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        6 => (findings(), findings()).prop_map(|(violations, notices)| {
            Outcome::from_verdict(Verdict { violations, notices })
        }),
        1 => select(&FaultKind::ALL[..]).prop_map(|kind| Outcome::Fault(Fault::new(kind, "planted"))),
    ]
}

pub(crate) fn policy(name: &str, layer: LayerName, mode: Mode, on_warn: OnWarn, outcome: Outcome) -> Evaluated {
    let file = PolicySpec::file(name.parse().unwrap(), "/p.wasm", json!({}));
    let outcome = if mode == Mode::Disabled { Outcome::Skipped } else { outcome };
    let spec = Arc::new(PolicySpec { layer, mode, ..file });
    Evaluated { spec, on_warn, digest: None, signer: None, version: None, outcome, duration: Duration::ZERO, memory: 0 }
}

/// Some policies of two layers; each name at most once in each.
pub(crate) fn policies() -> impl Strategy<Value = Vec<Evaluated>> {
    let one = |name: &'static str, layer| {
        let (mode, on_warn) = (select(&Mode::ALL[..]), select(&OnWarn::ALL[..]));
        (outcomes(), mode, on_warn)
            .prop_map(move |(outcome, mode, on_warn)| policy(name, layer, mode, on_warn, outcome))
    };
    let all: Vec<_> = LayerName::ALL.into_iter().flat_map(|layer| POLICIES.map(|name| one(name, layer))).collect();
    let most = all.len();
    all.prop_flat_map(move |all| prop::sample::subsequence(all, 1..=most))
}

pub(crate) fn digest(number: u8) -> Digest {
    Digest::of(&[number])
}

/// Packages that differ in one part each.
pub(crate) fn subjects() -> impl Strategy<Value = Subject> {
    let parts = (select(vec!["a/x", "a/y"]), select(vec!["1", "2"]), prop::option::of(0_u8..2));
    parts.prop_map(|(id, version, bundle)| {
        let (org, name) = id.split_once('/').unwrap();
        Subject {
            org: org.to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            bundle_digest: bundle.map(digest),
            ..Subject::default()
        }
    })
}

pub(crate) fn exceptions() -> impl Strategy<Value = Vec<Exception>> {
    prop::collection::vec(exception(), 0..6)
}

pub(crate) fn exception() -> impl Strategy<Value = Exception> {
    let package =
        (select(vec!["a/x", "a/y"]), select(vec!["", "@1", "@2", "@0", "@1st"])).prop_map(
            |(id, extent)| match extent {
                "@0" => format!("{id}@{}", digest(0)),
                "@1st" => format!("{id}@{}", digest(1)),
                version => format!("{id}{version}"),
            },
        );
    let names = prop::sample::subsequence(&POLICIES[..], 1..=POLICIES.len());
    let codes = prop::option::of(prop::sample::subsequence(&CODES[..], 1..=CODES.len()));
    (layers(), package, names, codes, select(&DAYS[..])).prop_map(|(layer, package, names, codes, until)| Exception {
        layer,
        package: package.parse().unwrap(),
        policies: names.into_iter().map(|name| name.parse::<PolicyName>().unwrap()).collect(),
        codes: codes.map(|codes| codes.into_iter().map(|code| code.parse::<FindingCode>().unwrap()).collect()),
        reason: SafeText::new("planted"),
        approved_by: None,
        until: until.parse().unwrap(),
    })
}

/// Which layers trust the registry of the package.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Trust {
    pub(crate) system: bool,
    pub(crate) user: bool,
}

impl Trust {
    pub(crate) fn of(self, layer: LayerName) -> bool {
        if layer == LayerName::User { self.user } else { self.system }
    }
}

pub(crate) fn trusts() -> impl Strategy<Value = Trust> {
    (any::<bool>(), any::<bool>()).prop_map(|(system, user)| Trust { system, user })
}

/// Waives as the pipeline does: each layer's policies by that layer's exceptions.
pub(crate) fn waived(
    policies: &[Evaluated],
    exceptions: &[Exception],
    subject: &Subject,
    trust: Trust,
) -> Vec<Evaluated> {
    let of_layer = |policy: &Evaluated| {
        let layer = policy.layer();
        let occasion = Occasion { subject, registry_trusted: trust.of(layer), seconds: NOON };
        let own: Vec<_> = exceptions.iter().filter(|exception| exception.layer == layer).collect();
        let place = |number: usize| SafeText::new(&number.to_string());
        InForce::on(occasion, own.iter().copied()).waive(policy.clone(), place)
    };
    policies.iter().map(of_layer).collect()
}

pub(crate) fn effect_of(policies: &[Evaluated]) -> Effect {
    policies.iter().map(Evaluated::effect).max().unwrap()
}
