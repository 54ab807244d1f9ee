//! A package whose decision changes, with the policies that make it.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::decision::DecisionDocument;
use crate::decision::FindingKind;
use crate::diff::Transition;
use crate::mode::Effect;
use crate::name::PolicyName;
use crate::policy::LayerName;
use crate::text::SafeText;
use crate::verdict::Evaluated;
use crate::verdict::Outcome;

/// What came of one judgement of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The decision.
    pub effect: Effect,
    /// The code of a refusal before any policy, such as `status`.
    pub refusal: Option<SafeText>,
    /// Every policy that was asked, in the order of evaluation.
    pub policies: Vec<(LayerName, PolicyName, PolicyStanding)>,
}

/// What came of one policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStanding {
    /// The effect on the launch.
    pub effect: Effect,
    /// The codes of what it objects to, each once, in the order of its findings: violations that stand, or its fault.
    pub codes: Vec<SafeText>,
}

/// A package about which the decision changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPackage {
    /// `org/name@version`.
    pub package: SafeText,
    /// The decision before.
    pub from: Effect,
    /// The decision after.
    pub to: Effect,
    /// The code of a refusal before any policy, on either side.
    pub refusals: (Option<SafeText>, Option<SafeText>),
    /// The policies that say something else: those of before in their order, then those that are new.
    pub policies: Vec<ChangedPolicy>,
    /// How often it was decided about, where a log says so.
    pub times: Option<u64>,
    /// When that was last, RFC 3339, where a log says so.
    pub last: Option<SafeText>,
}

/// A policy that says something else about a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedPolicy {
    /// Its name.
    pub name: PolicyName,
    /// Its layer.
    pub layer: LayerName,
    /// What came of it before; `None` where there was no such policy.
    pub from: Option<PolicyStanding>,
    /// What comes of it now; `None` where there is none any more.
    pub to: Option<PolicyStanding>,
}

impl PolicyStanding {
    fn new(effect: Effect, found: impl Iterator<Item = SafeText>) -> Self {
        let mut codes: Vec<SafeText> = Vec::new();
        for code in found {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        Self { effect, codes }
    }

    /// What came of a policy that was evaluated.
    pub fn of(policy: &Evaluated) -> Self {
        let fault = match &policy.outcome {
            Outcome::Fault(fault) => Some(SafeText::new(&format!("fault-{}", fault.kind.as_str()))),
            Outcome::Pass { .. } | Outcome::Violation { .. } | Outcome::Waived { .. } | Outcome::Skipped => None,
        };
        let violations = policy.outcome.violations().iter().map(|finding| SafeText::new(finding.code.as_str()));
        Self::new(policy.effect(), violations.chain(fault))
    }
}

impl Judgement {
    /// What came of policies that were evaluated, where the decision was `effect`.
    pub fn of(effect: Effect, policies: &[Evaluated]) -> Self {
        let each = |policy: &Evaluated| (policy.layer(), policy.name().clone(), PolicyStanding::of(policy));
        Self { effect, refusal: None, policies: policies.iter().map(each).collect() }
    }

    /// What came of a package that was refused before any policy.
    pub fn refused(code: &str) -> Self {
        Self { effect: Effect::Block, refusal: Some(SafeText::new(code)), policies: Vec::new() }
    }

    /// What a decision document says. An answer to a question is no part of it.
    pub fn of_document(document: &DecisionDocument) -> Self {
        let counts = |kind| matches!(kind, FindingKind::Violation | FindingKind::Fault);
        let policies = document.policies.iter().map(|policy| {
            let found = policy.findings.iter().filter(|finding| counts(finding.kind));
            let standing = PolicyStanding::new(policy.effect, found.map(|finding| SafeText::new(&finding.code)));
            (policy.layer, policy.name.clone(), standing)
        });
        let refusal = document.refusal.as_ref().map(|refusal| SafeText::new(&refusal.code));
        Self { effect: document.decision, refusal, policies: policies.collect() }
    }
}

impl ChangedPackage {
    /// What changes from one standing to the other; `None` when the decision is the same.
    pub fn between(package: SafeText, from: &Judgement, to: &Judgement) -> Option<Self> {
        if Transition::between(from.effect, to.effect) == Transition::Unchanged {
            return None;
        }
        let of = |standing: &Judgement, layer: LayerName, name: &PolicyName| {
            let found = standing.policies.iter().find(|(its_layer, its, _)| *its_layer == layer && its == name);
            found.map(|(_, _, standing)| standing.clone())
        };
        let new = to.policies.iter().filter(|(layer, name, _)| of(from, *layer, name).is_none());
        let policies = from.policies.iter().chain(new).map(|(layer, name, _)| ChangedPolicy {
            name: name.clone(),
            layer: *layer,
            from: of(from, *layer, name),
            to: of(to, *layer, name),
        });
        Some(Self {
            package,
            from: from.effect,
            to: to.effect,
            refusals: (from.refusal.clone(), to.refusal.clone()),
            policies: policies.filter(ChangedPolicy::matters).collect(),
            times: None,
            last: None,
        })
    }

    /// What the change is called.
    pub const fn transition(&self) -> Transition {
        Transition::between(self.from, self.to)
    }

    /// It as one of the `changes` of a document.
    pub fn document(&self) -> Value {
        let Self { package, from, to, refusals, policies, times, last } = self;
        let policies: Vec<_> = policies.iter().map(ChangedPolicy::document).collect();
        let mut members = Map::new();
        members.insert("package".to_owned(), json!(package));
        members.insert("from".to_owned(), json!(from));
        members.insert("to".to_owned(), json!(to));
        let known = [("from_refusal", json!(refusals.0)), ("to_refusal", json!(refusals.1))];
        let known = known.into_iter().chain([("times", json!(times)), ("last", json!(last))]);
        for (key, value) in known.filter(|(_, value)| !value.is_null()) {
            members.insert(key.to_owned(), value);
        }
        members.insert("policies".to_owned(), json!(policies));
        Value::Object(members)
    }

    /// Reads what [`document`](Self::document) has written; `None` when it is anything else.
    pub fn read(document: &Value) -> Option<Self> {
        let safe = |key: &str| document.get(key).and_then(Value::as_str).map(SafeText::new);
        let policies = document.get("policies")?.as_array()?.iter().map(ChangedPolicy::read);
        Some(Self {
            package: safe("package")?,
            from: effect_in(document, "from")?,
            to: effect_in(document, "to")?,
            refusals: (safe("from_refusal"), safe("to_refusal")),
            policies: policies.collect::<Option<_>>()?,
            times: document.get("times").and_then(Value::as_u64),
            last: safe("last"),
        })
    }
}

impl ChangedPolicy {
    /// The effects before and after; a policy that is not there objects to nothing.
    pub fn effects(&self) -> (Effect, Effect) {
        let effect = |standing: &Option<PolicyStanding>| standing.as_ref().map_or(Effect::Pass, |it| it.effect);
        (effect(&self.from), effect(&self.to))
    }

    /// The codes of what it objects to before and after.
    pub fn codes(&self) -> (&[SafeText], &[SafeText]) {
        (codes(self.from.as_ref()), codes(self.to.as_ref()))
    }

    /// Whether it says something else. One that is new, or gone, and objects to nothing does not.
    fn matters(&self) -> bool {
        let ((from, to), (before, after)) = (self.effects(), self.codes());
        from != to || before != after
    }

    fn document(&self) -> Value {
        let Self { name, layer, from, to } = self;
        let standing =
            |it: &Option<PolicyStanding>| it.as_ref().map(|it| json!({"effect": it.effect, "codes": it.codes}));
        json!({"name": name.as_str(), "layer": layer, "from": standing(from), "to": standing(to)})
    }

    fn read(document: &Value) -> Option<Self> {
        let layer = document.get("layer")?.as_str()?;
        Some(Self {
            name: document.get("name")?.as_str()?.parse().ok()?,
            layer: LayerName::ALL.into_iter().find(|known| known.as_str() == layer)?,
            from: standing_in(document.get("from")?)?,
            to: standing_in(document.get("to")?)?,
        })
    }
}

fn codes(standing: Option<&PolicyStanding>) -> &[SafeText] {
    standing.map_or(&[], |it| it.codes.as_slice())
}

fn effect_in(document: &Value, key: &str) -> Option<Effect> {
    let word = document.get(key)?.as_str()?;
    Effect::ALL.into_iter().find(|known| known.as_str() == word)
}

fn standing_in(document: &Value) -> Option<Option<PolicyStanding>> {
    if document.is_null() {
        return Some(None);
    }
    let codes = document.get("codes")?.as_array()?.iter().map(|code| code.as_str().map(SafeText::new));
    Some(Some(PolicyStanding { effect: effect_in(document, "effect")?, codes: codes.collect::<Option<_>>()? }))
}
