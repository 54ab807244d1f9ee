//! What a policy is told: a package or a facts document, as a request.
//!
//! Before it somebody has found the exact bytes of a package, or has written a document; after it the policies of a
//! [`PolicySet`](crate::PolicySet) are asked. Pure: the clock and the terminal are arguments.
//!
//! A program of your own starts with [`from_document`].

mod document;

pub use document::DocumentError;
pub use document::Problem;
pub use document::document_of;
pub use document::subject_from_document;

use std::path::Path;

use smcp_model::fetches::Fetches;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::ResolvedPackage;
use smcp_model::registry::Registry;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::request::Subject;

/// A request about what a facts document says: JSON with the fields of `subject` in `wit/policy.wit` in snake_case, all
/// of them optional. What is absent is unknown, and all that is there is believed.
///
/// # Errors
/// See [`DocumentError`].
pub fn from_document(document: &[u8], context: Context) -> Result<Request, DocumentError> {
    Ok(build(&subject_from_document(document, Path::new("/"), None)?, context, true))
}

/// The subject of a package that was found and verified.
pub fn subject(package: &ResolvedPackage) -> Subject {
    let manifest = &package.manifest;
    Subject {
        org: package.id.org.to_string(),
        name: package.id.name.to_string(),
        version: package.version.to_string(),
        registry: Some(package.registry.clone()),
        facts: package.facts.clone(),
        manifest_digest: Some(package.manifest_digest),
        bundle_digest: Some(package.bundle_digest),
        transport: Some(manifest.transport),
        entrypoint: Some(manifest.entrypoint.clone()),
        permissions: Some(manifest.permissions.clone()),
        manifest: Some(manifest.text.clone()),
    }
}

/// As much of a subject as its registry tells, before anything was downloaded.
pub fn resolved(resolution: &Resolution) -> Subject {
    Subject {
        org: resolution.id.org.to_string(),
        name: resolution.id.name.to_string(),
        version: resolution.version.to_string(),
        registry: Some(resolution.registry.clone()),
        facts: resolution.facts.clone(),
        manifest_digest: Some(resolution.manifest_digest),
        bundle_digest: Some(resolution.bundle_digest),
        ..Subject::default()
    }
}

/// As much of a subject as its reference tells, before any registry was asked.
pub fn named(reference: &PackageRef, registry: &Registry) -> Subject {
    Subject {
        org: reference.id.org.to_string(),
        name: reference.id.name.to_string(),
        version: reference.selector.to_string(),
        registry: Some(registry.clone()),
        ..Subject::default()
    }
}

/// The request as one layer sees it: facts that it doesn't believe are unknown to its policies (spec section 1).
pub fn build(subject: &Subject, context: Context, believed: bool) -> Request {
    let extensions = extensions(subject);
    let subject = if believed { subject.clone() } else { subject.without_facts() };
    Request { subject, context, extensions }
}

/// What is known of a package beyond the fields of the interface. None of it is a registry's word.
fn extensions(subject: &Subject) -> Vec<(String, String)> {
    let fetches = subject.entrypoint.as_ref().and_then(Fetches::of);
    fetches.map(|fetches| ("start.fetches".to_owned(), fetches.to_string())).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::facts::Score;
    use smcp_model::manifest::Entrypoint;

    #[test]
    fn facts_that_are_not_believed_are_unknown() {
        let mut subject = Subject { name: "tool".to_owned(), ..Subject::default() };
        subject.facts.score = Score::new(90_u64);
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        assert_eq!(build(&subject, context, true).subject, subject);
        let distrusted = build(&subject, context, false).subject;
        assert_eq!((distrusted.facts.score, distrusted.name.as_str()), (None, "tool"));
    }

    #[test]
    fn policies_are_told_with_what_a_command_fetches() {
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        for (command, expected) in [("npx", vec![("start.fetches".to_owned(), "npx".to_owned())]), ("node", vec![])] {
            let entrypoint = Entrypoint { command: command.to_owned(), ..Entrypoint::default() };
            let subject = Subject { entrypoint: Some(entrypoint), ..Subject::default() };
            assert_eq!(build(&subject, context, true).extensions, expected);
            assert_eq!(build(&subject, context, false).extensions, expected, "no registry says it");
        }
        assert_eq!(build(&Subject::default(), context, true).extensions, []);
    }
}
