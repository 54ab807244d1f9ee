//! Waives violations by the exceptions of a layer.
//!
//! A pure function between evaluation and ruling: before it `policy` has evaluated the policies of a layer, after it the
//! effects of all layers are combined. It turns violations into waived ones and touches nothing else (spec section 3): a
//! fault stays a fault, a remark a remark, and what was skipped is skipped.

use std::sync::Arc;

use smcp_model::exception::Exception;
use smcp_model::exception::WrittenException;
use smcp_model::request::Subject;
use smcp_model::text::SafeText;
use smcp_model::verdict::Evaluated;
use smcp_model::verdict::Finding;
use smcp_model::verdict::Outcome;
use smcp_model::verdict::Verdict;
use smcp_model::verdict::WaivedFinding;

/// The package and the moment that exceptions of one layer are held against.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// The package.
    pub subject: &'a Subject,
    /// Whether the layer trusts the registry that the package comes from.
    pub registry_trusted: bool,
    /// The time of the decision, seconds since the Unix epoch.
    pub seconds: u64,
}

/// The exceptions that hold on one occasion, in their order.
#[derive(Debug, Clone)]
pub struct InForce<'a> {
    // INVARIANT: each holds on the occasion. The number is its place among all exceptions.
    exceptions: Vec<(usize, &'a Exception)>,
}

impl<'a> InForce<'a> {
    /// Selects those that hold on `occasion`: they name the package, are not expired, and either name its bytes or its
    /// registry is trusted.
    pub fn on(occasion: Occasion<'_>, exceptions: impl IntoIterator<Item = &'a Exception>) -> Self {
        let Occasion { subject, registry_trusted, seconds } = occasion;
        let numbered = exceptions.into_iter().enumerate();
        let holding = numbered.filter(|(_, exception)| exception.holds_for(subject, registry_trusted, seconds));
        Self { exceptions: holding.collect() }
    }

    /// Waives the violations of a policy that an exception of its own layer is for; each finding takes the first that
    /// fits. `place_of` says where the exception of that number is written; it is called for those that waive something.
    #[must_use]
    pub fn waive(&self, policy: Evaluated, place_of: impl Fn(usize) -> SafeText) -> Evaluated {
        let outcome = match policy.outcome {
            Outcome::Violation { verdict, waived } => {
                let Verdict { violations, notices } = verdict;
                let first = |finding: &Finding| {
                    let fits = |(_, exception): &&(usize, &Exception)| {
                        exception.layer == policy.spec.layer && exception.waives(&policy.spec.name, &finding.code)
                    };
                    self.exceptions.iter().find(fits).copied()
                };
                let (waived, standing) = split(violations, waived, first, place_of);
                if standing.is_empty() {
                    Outcome::Waived { waived, notices }
                } else {
                    Outcome::Violation { verdict: Verdict { violations: standing, notices }, waived }
                }
            }
            other @ (Outcome::Pass { .. } | Outcome::Fault(_) | Outcome::Skipped | Outcome::Waived { .. }) => other,
        };
        Evaluated { outcome, ..policy }
    }
}

/// Returns the waived violations, after those that were waived before, and those that stand, both in their order.
fn split<'a>(
    violations: Vec<Finding>,
    mut waived: Vec<WaivedFinding>,
    first: impl Fn(&Finding) -> Option<(usize, &'a Exception)>,
    place_of: impl Fn(usize) -> SafeText,
) -> (Vec<WaivedFinding>, Vec<Finding>) {
    let (mut standing, mut used): (Vec<Finding>, Vec<(usize, Arc<WrittenException>)>) = (Vec::new(), Vec::new());
    for finding in violations {
        let Some((number, exception)) = first(&finding) else {
            standing.push(finding);
            continue;
        };
        let known = used.iter().find(|(other, _)| *other == number).map(|(_, written)| Arc::clone(written));
        let exception = known.unwrap_or_else(|| {
            let made = Arc::new(WrittenException { exception: exception.clone(), at: place_of(number) });
            used.push((number, Arc::clone(&made)));
            made
        });
        waived.push(WaivedFinding { finding, exception });
    }
    (waived, standing)
}
