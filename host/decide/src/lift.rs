//! What an exception would have to say for a refusal to be lifted.
//!
//! Before it there is a ruling; after it `report` writes the entries. They lack the reason and the last day, which are for
//! whoever answers for the exception (spec section 12), and nothing here applies one.

use crate::Ruling;
use smcp_model::exception::Extent;
use smcp_model::exception::PackageScope;
use smcp_model::mode::Effect;
use smcp_model::name::FindingCode;
use smcp_model::name::PolicyName;
use smcp_model::policy::LayerName;
use smcp_model::policy::PolicySource;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;

/// The file that the exceptions of a layer are written in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionFile {
    /// The layer.
    pub layer: LayerName,
    /// The file's path.
    pub file: SafeText,
    /// Whether there are exceptions in the layer already.
    pub has_exceptions: bool,
    /// Whether exceptions of the layer hold for the package without its digest.
    pub registry_trusted: bool,
}

/// What one exception would have to say for a refusal to be lifted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lift {
    /// Where it would be written.
    pub file: ExceptionFile,
    /// The package: its very bytes where their digest is known, else its version.
    pub package: PackageScope,
    /// The policies that refuse.
    pub policies: Vec<PolicyName>,
    /// The codes of what they found, each once; nothing else would be waived.
    pub codes: Vec<FindingCode>,
}

/// Returns what exceptions together would lift the refusal, in the order of the policies. A question counts as a
/// refusal unless consent is given.
///
/// Empty where no exception would lift it: a policy that refuses has failed, the package has no name that an exception
/// can have (a facts document may have any), or its digest is unknown and the layer doesn't trust its registry.
pub fn lifting(ruling: &Ruling, subject: &Subject, consented: bool, files: &[ExceptionFile]) -> Vec<Lift> {
    let lightest = if consented { Effect::Block } else { Effect::Ask };
    let refusing = ruling.policies().iter().filter(|policy| policy.effect() >= lightest);
    let Some(found) = refusing.map(|policy| Liftable::of(policy, subject, files)).collect::<Option<Vec<_>>>() else {
        return Vec::new();
    };
    let mut groups: Vec<Vec<Liftable<'_>>> = Vec::new();
    for one in found {
        match groups.iter_mut().find(|group| one.joins(group)) {
            Some(group) => group.push(one),
            None => groups.push(vec![one]),
        }
    }
    groups.iter().filter_map(|group| lift(group, &scope(subject)?)).collect()
}

/// What one policy found, and where an exception from it would be written.
struct Liftable<'a> {
    policy: &'a Evaluated,
    file: &'a ExceptionFile,
    codes: Vec<&'a FindingCode>,
}

impl<'a> Liftable<'a> {
    /// Returns what a policy found; `None` when no exception would waive it.
    fn of(policy: &'a Evaluated, subject: &Subject, files: &'a [ExceptionFile]) -> Option<Self> {
        let codes = each_once(policy.outcome.violations().iter().map(|finding| &finding.code));
        let file = files.iter().find(|file| file.layer == policy.layer())?;
        let holds = file.registry_trusted || scope(subject)?.is_bound_to_bytes();
        // A fault has no codes.
        (holds && !codes.is_empty()).then_some(Self { policy, file, codes })
    }

    /// Whether one exception for this and the others waives no more than one for each.
    fn joins(&self, others: &[Self]) -> bool {
        let all = || others.iter().chain([self]);
        let codes = each_once(all().flat_map(|one| one.codes.iter().copied()));
        let adds_nothing = |one: &Self| codes.iter().all(|code| one.codes.contains(code) || !one.may_report(code));
        others.iter().all(|other| other.file == self.file) && all().all(adds_nothing)
    }

    /// Whether the policy could report a code in another evaluation.
    fn may_report(&self, code: &FindingCode) -> bool {
        match self.policy.spec.source {
            PolicySource::BuiltIn(which) => which.violation_codes().contains(&code.as_str()),
            PolicySource::File(_) | PolicySource::Remote(_) => true,
        }
    }
}

fn each_once<'c>(codes: impl Iterator<Item = &'c FindingCode>) -> Vec<&'c FindingCode> {
    let mut once = Vec::new();
    for code in codes {
        if !once.contains(&code) {
            once.push(code);
        }
    }
    once
}

fn lift(group: &[Liftable<'_>], package: &PackageScope) -> Option<Lift> {
    Some(Lift {
        file: group.first()?.file.clone(),
        package: package.clone(),
        policies: group.iter().map(|one| one.policy.name().clone()).collect(),
        codes: each_once(group.iter().flat_map(|one| one.codes.iter().copied())).into_iter().cloned().collect(),
    })
}

/// Returns the narrowest scope that has the package.
fn scope(subject: &Subject) -> Option<PackageScope> {
    let id = format!("{}/{}", subject.org, subject.name).parse().ok()?;
    let extent = match subject.bundle_digest {
        Some(digest) => Extent::Bundle(digest),
        None => Extent::Version(subject.version.parse().ok()?),
    };
    Some(PackageScope { id, extent })
}
