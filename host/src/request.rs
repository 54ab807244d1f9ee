//! What a policy is told: from a resolved package, or from a facts document, to a request.
//!
//! Before it `package` has found the exact bytes; after it `policy` evaluates. Pure: the clock and the terminal are
//! arguments.

mod document;

pub use document::DocumentError;
pub use document::subject_from_document;

use crate::model::package::ResolvedPackage;
use crate::model::registry::Registry;
use crate::model::request::Context;
use crate::model::request::Request;
use crate::model::request::Subject;

/// The subject of a package that was found and verified.
pub fn subject(package: &ResolvedPackage) -> Subject {
    let manifest = &package.manifest;
    Subject {
        org: package.id.org.to_string(),
        name: package.id.name.to_string(),
        version: package.version.to_string(),
        registry: Some(package.registry.clone()),
        facts: package.facts.clone(),
        manifest_digest: Some(package.manifest_digest.to_string()),
        bundle_digest: Some(package.bundle_digest.to_string()),
        transport: Some(manifest.transport),
        entrypoint: Some(manifest.entrypoint.clone()),
        permissions: Some(manifest.permissions.clone()),
        manifest: Some(manifest.text.clone()),
    }
}

/// Whether somebody who trusts `trusted` believes what the subject's registry says. `None` trusts any registry;
/// with a list, facts that nobody vouches for are not believed either (spec section 1).
pub fn believed(subject: &Subject, trusted: Option<&[Registry]>) -> bool {
    trusted.is_none_or(|trusted| subject.registry.as_ref().is_some_and(|registry| trusted.contains(registry)))
}

/// The request as one layer sees it: facts that it doesn't believe are unknown to its policies.
pub fn build(subject: &Subject, context: Context, trusted: Option<&[Registry]>) -> Request {
    let subject = if believed(subject, trusted) { subject.clone() } else { subject.without_facts() };
    Request { subject, context }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::facts::Score;

    #[test]
    fn facts_are_worth_what_their_registry_is_worth() {
        let here = Registry::Url("https://a.example".to_owned());
        let there = Registry::Url("https://b.example".to_owned());
        let mut subject = Subject { registry: Some(here.clone()), ..Subject::default() };
        subject.facts.score = Score::new(90_u64);
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        let seen =
            |subject: &Subject, trusted: Option<&[Registry]>| build(subject, context, trusted).subject.facts.score;
        assert_eq!(seen(&subject, None), subject.facts.score);
        assert_eq!(seen(&subject, Some(&[there.clone(), here])), subject.facts.score);
        assert_eq!(seen(&subject, Some(&[there])), None);
        assert_eq!(seen(&subject, Some(&[])), None);
        subject.registry = None;
        assert_eq!(seen(&subject, Some(&[Registry::Url("https://a.example".to_owned())])), None);
    }
}
