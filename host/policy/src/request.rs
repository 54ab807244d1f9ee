//! Makes the request for the policies from a package or a facts document.
//!
//! Before it the exact bytes of a package were found, or a document was written; after it the policies of a
//! [`PolicySet`](crate::PolicySet) are evaluated. Pure: the clock and the terminal are arguments.
//!
//! Your own program starts with [`from_document`].

use std::path::Path;

use smcp_model::confinement::Confinement;
use smcp_model::elsewhere::RunsElsewhere;
use smcp_model::facts_document;
use smcp_model::facts_document::DocumentError;
use smcp_model::fetches::Fetches;
use smcp_model::imported::ImportedFrom;
use smcp_model::manifest::Manifest;
use smcp_model::package::PackageRef;
use smcp_model::package::Resolution;
use smcp_model::package::ResolvedPackage;
use smcp_model::registry::Registry;
use smcp_model::request::Context;
use smcp_model::request::Request;
use smcp_model::request::Subject;

/// Makes a request from a facts document: JSON with the fields of `subject` in `wit/policy.wit` in snake_case, all of
/// them optional. An absent field is unknown; every other field is believed.
///
/// # Errors
/// See [`DocumentError`].
pub fn from_document(document: &[u8], context: Context) -> Result<Request, DocumentError> {
    Ok(build(&facts_document::read(document, Path::new("/"), None)?, context, true))
}

/// The subject of a resolved and verified package.
pub fn subject(package: &ResolvedPackage) -> Subject {
    let known = Subject {
        org: package.id.org.to_string(),
        name: package.id.name.to_string(),
        version: package.version.to_string(),
        registry: Some(package.registry.clone()),
        facts: package.facts.clone(),
        manifest_digest: Some(package.manifest_digest),
        bundle_digest: Some(package.bundle_digest),
        ..Subject::default()
    };
    with_manifest(known, &package.manifest)
}

/// The same subject, with what a manifest says of the server.
pub fn with_manifest(subject: Subject, manifest: &Manifest) -> Subject {
    Subject {
        transport: Some(manifest.transport),
        entrypoint: Some(manifest.entrypoint.clone()),
        permissions: manifest.permissions.clone(),
        manifest: Some(manifest.text.clone()),
        ..subject
    }
}

/// The subject as far as the registry's answer describes it, before anything is downloaded.
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

/// The subject as far as a reference describes it, before a registry is asked.
pub fn named(reference: &PackageRef, registry: &Registry) -> Subject {
    Subject {
        org: reference.id.org.to_string(),
        name: reference.id.name.to_string(),
        version: reference.selector.to_string(),
        registry: Some(registry.clone()),
        ..Subject::default()
    }
}

/// The request for the policies of one layer: facts that the layer doesn't believe are unknown (spec section 1).
pub fn build(subject: &Subject, context: Context, believed: bool) -> Request {
    let extensions = extensions(subject, believed);
    let subject = if believed { subject.clone() } else { subject.without_facts() };
    Request { subject, context, extensions }
}

/// Details about a package beyond the fields of the interface. Where it was imported from, and how its namespace was proven,
/// is the word of its registry, and told where that is believed; the others come from no registry: how far the server would
/// be confined is this machine's word.
fn extensions(subject: &Subject, believed: bool) -> Vec<(String, String)> {
    let fetches = subject.entrypoint.as_ref().and_then(Fetches::of);
    let fetches = fetches.map(|fetches| ("start.fetches".to_owned(), fetches.to_string()));
    let elsewhere = subject.entrypoint.as_ref().and_then(RunsElsewhere::of);
    let elsewhere = elsewhere.map(|elsewhere| ("start.elsewhere".to_owned(), elsewhere.to_string()));
    let imported = subject.manifest.as_deref().filter(|_| believed).and_then(ImportedFrom::of);
    let proof = subject.registry.as_ref().filter(|_| believed).and_then(|it| it.namespace_proof(&subject.org));
    let proof = proof.map(|proof| ("namespace.proof".to_owned(), proof.to_owned()));
    let confinement = subject.confinement.iter().flat_map(Confinement::extensions);
    let imported = imported.iter().flat_map(ImportedFrom::extensions);
    fetches.into_iter().chain(elsewhere).chain(imported).chain(proof).chain(confinement).collect()
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
    fn where_a_package_was_imported_from_is_told_to_who_believes_its_registry() {
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        let source = r#"{"kind": "npm", "name": "@acme/tool", "version": "1.0.0", "integrity": "sha512-x", "facts_by": "importer"}"#;
        let subject = Subject { manifest: Some(format!("{{\"source\": {source}}}")), ..Subject::default() };
        let told = build(&subject, context, true).extensions;
        assert!(told.contains(&("source.name".to_owned(), "@acme/tool".to_owned())), "{told:?}");
        assert!(told.contains(&("facts.by".to_owned(), "importer".to_owned())), "{told:?}");
        assert_eq!(build(&subject, context, false).extensions, []);
    }

    #[test]
    fn how_a_namespace_was_proven_is_told_to_who_believes_its_registry() {
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        for (registry, org, proof) in [
            ("https://registry.modelcontextprotocol.io", "io.github.user", Some("github")),
            ("https://registry.modelcontextprotocol.io", "com.example", Some("domain")),
            ("https://registry.modelcontextprotocol.io", "io.githubx", Some("domain")),
            ("https://registry.mcp-hub.info", "io.github.user", None),
        ] {
            let registry = Registry::from_text(registry, Path::new("/"), None).ok();
            let subject = Subject { org: org.to_owned(), registry, ..Subject::default() };
            let expected: Vec<_> = proof.map(|it| ("namespace.proof".to_owned(), it.to_owned())).into_iter().collect();
            assert_eq!(build(&subject, context, true).extensions, expected, "{org}");
            assert_eq!(build(&subject, context, false).extensions, [], "{org}");
        }
    }

    #[test]
    fn the_request_says_what_a_command_fetches_with() {
        let context = Context { evaluated_at: 0, trust: false, interactive: false };
        for (command, expected) in [("npx", vec![("start.fetches".to_owned(), "npx".to_owned())]), ("node", vec![])] {
            let entrypoint = Entrypoint { command: command.to_owned(), ..Entrypoint::default() };
            let subject = Subject { entrypoint: Some(entrypoint), ..Subject::default() };
            assert_eq!(build(&subject, context, true).extensions, expected);
            assert_eq!(build(&subject, context, false).extensions, expected, "it does not come from a registry");
        }
        assert_eq!(build(&Subject::default(), context, true).extensions, []);
        let entrypoint =
            Entrypoint { command: "node".to_owned(), args: vec!["/x.js".to_owned()], ..Entrypoint::default() };
        let subject = Subject { entrypoint: Some(entrypoint), ..Subject::default() };
        let expected = [("start.elsewhere".to_owned(), "node /x.js".to_owned())];
        assert_eq!(build(&subject, context, false).extensions, expected);
    }
}
