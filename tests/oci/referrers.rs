//! What refers to an artefact, in registries with a list of referrers and without.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::server::Habits;
use crate::server::Registry;
use crate::server::Reply;
use smcp_http::HttpSettings;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::oci::OciReference;
use smcp_oci::Descriptor;
use smcp_oci::IMAGE_MANIFEST;
use smcp_oci::OciClient;

const KIND: &str = "application/vnd.example.signature.v1";
const LIMIT: usize = 1024;

pub(crate) fn client(registry: &Registry) -> (OciClient<'static>, OciReference) {
    let reference: OciReference = registry.oci("policies/a:1").parse().unwrap();
    (OciClient::new(reference.repository(), HttpSettings::default(), Box::new(|| Ok(None))), reference)
}

pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// A registry with an artefact, and the descriptor of that.
fn with_artefact(habits: Habits) -> (Registry, Descriptor) {
    let registry = Registry::start(habits);
    registry.put_component("1", b"\0asm");
    let bytes = registry.manifest("1").unwrap().to_string().into_bytes();
    (registry, Descriptor::of(IMAGE_MANIFEST, &bytes))
}

#[test]
fn referrers_are_found_by_the_list_or_by_the_tag() {
    for habits in [
        Habits { referrers: true, ..Habits::default() },
        Habits { referrers: true, page: 1, ..Habits::default() },
        Habits::default(),
    ] {
        let lists = habits.referrers;
        let (registry, subject) = with_artefact(habits);
        let (client, _) = client(&registry);
        assert_eq!(client.referrers(&subject.digest, KIND, &soon()).unwrap(), []);
        let texts: [&[u8]; 3] = [b"one", b"two", b"three"];
        for text in texts {
            client.push_referrer(&subject, KIND, &[("text/plain", text)], &soon()).unwrap();
        }
        // The same again changes nothing; another kind is another matter.
        client.push_referrer(&subject, KIND, &[("text/plain", b"one")], &soon()).unwrap();
        client.push_referrer(&subject, "application/vnd.example.other", &[("text/plain", b"other")], &soon()).unwrap();
        let found = client.referrers(&subject.digest, KIND, &soon()).unwrap();
        assert_eq!(found.len(), 3, "{found:?}");
        let read =
            found.iter().map(|it| client.referrer(it, &subject.digest, LIMIT, &soon()).unwrap().parts[0].1.clone());
        assert_eq!(read.collect::<BTreeSet<_>>(), texts.map(<[u8]>::to_vec).into());
        let tag = format!("sha256-{}", subject.digest.hex());
        if !lists {
            // Some that copy the list leave out what each is of; the manifest of each says it.
            let mut index = registry.manifest(&tag).unwrap();
            for entry in index["manifests"].as_array_mut().unwrap() {
                entry.as_object_mut().unwrap().remove("artifactType");
            }
            registry.put_tagged("policies/a", &tag, &index);
            assert_eq!(client.referrers(&subject.digest, KIND, &soon()).unwrap().len(), 3);
            // Of more than are looked at, the one that counts could be left.
            let gone =
                serde_json::json!({"mediaType": IMAGE_MANIFEST, "digest": Digest::of(b"x").to_string(), "size": 1});
            index["manifests"] = vec![gone; 65].into();
            registry.put_tagged("policies/a", &tag, &index);
            let error = client.referrers(&subject.digest, KIND, &soon()).unwrap_err().to_string();
            assert!(error.contains("has more than 64 entries"), "{error}");
        }
        assert_eq!(registry.manifest(&tag).is_none(), lists, "the tag is for registries without a list");
        assert_eq!(client.referrers(&Digest::of(b"x"), KIND, &soon()).unwrap(), []);
    }
}

#[test]
fn a_referrer_refers_to_what_was_asked_about() {
    let (registry, subject) = with_artefact(Habits { referrers: true, ..Habits::default() });
    let (client, _) = client(&registry);
    let referrer = client.push_referrer(&subject, KIND, &[("text/plain", b"signed")], &soon()).unwrap();
    let wrong = client.referrer(&referrer, &Digest::of(b"x"), LIMIT, &soon()).unwrap_err();
    assert!(wrong.to_string().contains("it refers to something else"), "{wrong}");
    let long = client.referrer(&referrer, &subject.digest, 5, &soon()).unwrap_err();
    assert!(long.to_string().contains("has more than 5 bytes"), "{long}");
    // A registry can't put another one in its place.
    let other = client.push_referrer(&subject, KIND, &[("text/plain", b"forged")], &soon()).unwrap();
    let forged = registry.manifest(&other.digest.to_string()).unwrap().to_string();
    registry.script(&format!("GET /v2/policies/a/manifests/{}", referrer.digest), [Reply::with(200, &[], forged)]);
    let swapped = client.referrer(&referrer, &subject.digest, LIMIT, &soon()).unwrap_err();
    assert!(swapped.is_wrong() && swapped.to_string().contains("is not what its digest promises"), "{swapped}");
}

#[test]
fn a_list_that_leads_elsewhere_or_never_ends_is_refused() {
    for (next, says) in [
        ("</v2/policies/a/referrers/x?start=1>; rel=\"next\"", "has more than"),
        ("<https://evil.example/v2/x>; rel=\"next\"", "its next page is `https://evil.example/v2/x`"),
        ("<//evil.example/v2/x>; rel=\"next\"", "its next page is"),
    ] {
        let (registry, subject) = with_artefact(Habits { referrers: true, ..Habits::default() });
        let (client, _) = client(&registry);
        let page = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
        registry.script("GET /v2/policies/a/referrers/", vec![Reply::with(200, &[("link", next)], page); 20]);
        let error = client.referrers(&subject.digest, KIND, &soon()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
        assert!(registry.requests().len() <= 10, "{}", registry.requests().len());
    }
}

#[test]
fn a_list_in_a_tag_that_is_none_is_not_written_over() {
    let (registry, subject) = with_artefact(Habits::default());
    let (client, _) = client(&registry);
    let tag = format!("sha256-{}", subject.digest.hex());
    registry.put_manifest(&tag, &serde_json::json!({"mediaType": "application/vnd.example", "x": 1}));
    let error = client.push_referrer(&subject, KIND, &[("text/plain", b"one")], &soon()).unwrap_err();
    assert!(error.to_string().contains("expected an image index"), "{error}");
    assert_eq!(registry.manifest(&tag).unwrap()["x"], 1);
}

/// Somebody who writes the list at the same moment may win; then it is written again.
#[test]
fn a_list_in_a_tag_that_somebody_else_writes_is_written_again() {
    let (registry, subject) = with_artefact(Habits::default());
    let (client, _) = client(&registry);
    let tag = format!("sha256-{}", subject.digest.hex());
    registry.script(&format!("PUT /v2/policies/a/manifests/{tag}"), [Reply::with(201, &[], "")]);
    client.push_referrer(&subject, KIND, &[("text/plain", b"one")], &soon()).unwrap();
    assert_eq!(client.referrers(&subject.digest, KIND, &soon()).unwrap().len(), 1);
    let lost = Registry::clone(&registry);
    lost.script(&format!("PUT /v2/policies/a/manifests/{tag}"), vec![Reply::with(201, &[], ""); 3]);
    let error = client.push_referrer(&subject, KIND, &[("text/plain", b"two")], &soon()).unwrap_err();
    assert!(error.to_string().contains("a list without what was just added"), "{error}");
}
