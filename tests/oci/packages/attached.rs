//! What refers to a package: statements and their signatures, by the list of referrers and by the tag in its place.

use std::time::Duration;

use crate::packages::with_package;
use crate::server::Habits;
use crate::server::Registry;
use smcp_http::HttpSettings;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::oci::OciPlace;
use smcp_oci::package::IN_TOTO;
use smcp_oci::package::MINISIGN;
use smcp_oci::package::SIGSTORE_BUNDLE;
use smcp_oci::package::STATEMENT;
use smcp_registry::AttachedPart;
use smcp_registry::AttachmentLimits;
use smcp_registry::OciRegistry;
use smcp_registry::RegistryClient as _;

const LIMITS: AttachmentLimits = AttachmentLimits { count: 4, part: 1024, total: 3000 };

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

fn client(registry: &Registry) -> OciRegistry {
    let place = OciPlace::parse(&registry.oci("mcp")).unwrap();
    OciRegistry::new(place, HttpSettings::default(), Box::new(|| Ok(None)))
}

fn part(media_type: &str, text: &str) -> AttachedPart {
    AttachedPart { media_type: media_type.to_owned(), bytes: text.as_bytes().to_vec() }
}

#[test]
fn statements_are_attached_and_come_back_in_parts() {
    for habits in [Habits { referrers: true, page: 1, ..Habits::default() }, Habits::default()] {
        let (bed, registry) = with_package(habits);
        let client = client(&registry);
        let resolution = client.resolve(&"acme/tool@1.0.0".parse().unwrap(), &soon()).unwrap();
        let (id, image) = (&resolution.id, resolution.image_digest.unwrap());
        let all = || client.attached(id, &image, &[STATEMENT, SIGSTORE_BUNDLE], LIMITS, &soon()).unwrap();
        assert_eq!(all(), []);
        let signed = [part(IN_TOTO, "statement"), part(MINISIGN, "signature")];
        let bundle = [part(SIGSTORE_BUNDLE, "bundle")];
        client.attach(id, &image, STATEMENT, &signed, &soon()).unwrap();
        client.attach(id, &image, SIGSTORE_BUNDLE, &bundle, &soon()).unwrap();
        client.attach(id, &image, "application/vnd.example", &bundle, &soon()).unwrap();
        let mut found: Vec<_> = all().into_iter().map(|it| (it.artifact_type, it.parts)).collect();
        found.sort_by_key(|(kind, _)| kind.clone());
        assert_eq!(found, [(SIGSTORE_BUNDLE.to_owned(), bundle.to_vec()), (STATEMENT.to_owned(), signed.to_vec())]);
        // The tag in place of a list is no version.
        bed.run("run acme/tool@latest").succeeds().prints("acme/tool@1.0.0 runs\n");
        let gone = client.attach(id, &Digest::of(b"x"), STATEMENT, &signed, &soon()).unwrap_err();
        assert_eq!(gone.code(), "registry-file-missing");
    }
}

#[test]
fn what_is_attached_is_bounded_and_what_is_wrong_has_no_parts() {
    let (_bed, registry) = with_package(Habits { referrers: true, ..Habits::default() });
    let client = client(&registry);
    let resolution = client.resolve(&"acme/tool@1.0.0".parse().unwrap(), &soon()).unwrap();
    let (id, image) = (&resolution.id, resolution.image_digest.unwrap());
    let attach = |parts: &[AttachedPart]| client.attach(id, &image, STATEMENT, parts, &soon()).unwrap();
    let wrong = [attach(&[part(IN_TOTO, &"x".repeat(1025))]), attach(&vec![part(IN_TOTO, "x"); 5]), attach(&[])];
    let right = attach(&[part(IN_TOTO, "x")]);
    let found = client.attached(id, &image, &[STATEMENT, STATEMENT], LIMITS, &soon()).unwrap();
    assert_eq!(found.len(), 4);
    for attached in found {
        assert_eq!(attached.parts.is_empty(), wrong.contains(&attached.digest), "{attached:?}");
        assert_eq!(!attached.parts.is_empty(), attached.digest == right, "{attached:?}");
    }
    // What comes after the sum is not fetched.
    attach(&[part(IN_TOTO, &"y".repeat(1024)), part(MINISIGN, &"z".repeat(1024))]);
    let little = AttachmentLimits { count: 9, total: 1, ..LIMITS };
    let error = client.attached(id, &image, &[STATEMENT], little, &soon()).unwrap_err();
    assert!(error.to_string().contains("has more than 1 bytes, the most that is read"), "{error}");
    let error = client.attached(id, &image, &[STATEMENT], LIMITS, &soon()).unwrap_err();
    assert!(error.to_string().contains("has more than 4 entries, the most that are read"), "{error}");
}
