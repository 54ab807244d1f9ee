//! Tests of the answers that are recalled for a registry that can't be reached.

use std::io;

use super::*;
use crate::error::RegistryProblem;
use crate::testing::RegistryBed as _;
use smcp_bed::Bed;

const NOW: u64 = 1_800_000_000;
const DAY: Duration = Duration::from_secs(86_400);

fn outage() -> PackageError {
    let cause = io::Error::new(io::ErrorKind::ConnectionRefused, "nobody is there");
    RegistryProblem::Unusable { doing: "ask it".to_owned(), cause }.of(&Registry::Directory("/srv/r".into()))
}

/// A cache with answers from `NOW` about three versions, two of which have the same bundle.
fn bed() -> (Bed, Registry) {
    let bed = Bed::with(["registry", "cache"]);
    let registry = Registry::Directory("/srv/r".into());
    for (version, bundle) in [("1.0.0", "shared"), ("1.1.0", "shared"), ("2.0.0", "own")] {
        let resolution = Resolution {
            id: "acme/tool".parse().unwrap(),
            version: version.parse().unwrap(),
            registry: registry.clone(),
            facts: smcp_model::facts::Facts::default(),
            manifest_digest: Digest::of(version.as_bytes()),
            bundle_digest: Digest::of(bundle.as_bytes()),
            bundle_size: None,
            image_digest: None,
        };
        bed.cache().resolutions().keep(&resolution, NOW, NOW).unwrap();
    }
    (bed, registry)
}

fn ask(wanted: &str, later: u64) -> Result<Recalled, PackageError> {
    let (bed, registry) = bed();
    recall(bed.cache().resolutions(), &registry, &wanted.parse().unwrap(), outage(), NOW + later, DAY)
}

#[test]
fn an_exact_version_is_recalled_until_it_is_too_old() {
    for (later, found) in [(0, true), (1, true), (86_400, true), (86_401, false), (u64::MAX - NOW, false)] {
        match ask("acme/tool@1.0.0", later) {
            Ok(recalled) => assert!(found && recalled.age == Duration::from_secs(later), "{later}"),
            Err(error) if error.code() == "facts-too-old" => assert!(!found, "{later}"),
            Err(other) => panic!("{later}: {other}"),
        }
    }
    let stale = ask("acme/tool@1.0.0", 2 * 86_400).unwrap_err();
    assert_eq!((stale.code(), stale.is_outage()), ("facts-too-old", false));
    let sentence = stale.sentence();
    assert!(sentence.contains("is 2days old") && sentence.contains("nobody is there"), "{sentence}");
}

#[test]
fn a_reference_is_recalled_only_if_it_means_one_answer() {
    let digest = |of: &str| format!("acme/tool@{}", Digest::of(of.as_bytes()));
    let cases = [
        ("acme/tool@2.0.0".to_owned(), Ok("2.0.0")),
        (digest("own"), Ok("2.0.0")),
        (digest("1.1.0"), Ok("1.1.0")),
        (digest("shared"), Err("digest-ambiguous")),
        (digest("nowhere"), Err("registry-unavailable")),
        ("acme/tool@3.0.0".to_owned(), Err("registry-unavailable")),
        ("acme/other@1.0.0".to_owned(), Err("registry-unavailable")),
        ("acme/tool@latest".to_owned(), Err("latest-unknown")),
        ("acme/other@latest".to_owned(), Err("registry-unavailable")),
    ];
    for (wanted, expected) in cases {
        let found = ask(&wanted, 0).map(|recalled| recalled.resolution.version.to_string());
        assert_eq!(found.as_deref().map_err(PackageError::code), expected, "{wanted}");
    }
}

#[test]
fn only_silence_is_an_outage() {
    use io::ErrorKind as Kind;
    let registry = |kind: Kind| PackageError::unreachable(&Registry::Directory("/srv/r".into()), kind.into());
    for kind in [Kind::NotFound, Kind::ConnectionRefused, Kind::TimedOut, Kind::NetworkUnreachable, Kind::Other] {
        assert!(registry(kind).is_outage(), "{kind}");
    }
    // A missing permission; a wrong certificate; an answer that is not valid.
    for kind in [Kind::PermissionDenied, Kind::InvalidData, Kind::InvalidInput] {
        assert!(!registry(kind).is_outage(), "{kind}");
    }
    let recalled = ask("acme/tool@2.0.0", 0).unwrap();
    let id = "acme/tool".parse().unwrap();
    let missing = recalled.artifact(&id, Artifact::Bundle, &Digest::of(b"own"), &Deadline::none()).err().unwrap();
    assert!(!missing.is_outage() && missing.to_string().contains("nobody is there"), "{missing}");
}

#[test]
fn what_could_be_recalled_is_known_before_the_registry_is_asked() {
    let shared = format!("acme/tool@{}", Digest::of(b"shared"));
    let own = format!("acme/tool@{}", Digest::of(b"own"));
    let cases = [
        ("acme/tool@1.0.0", 0, true),
        ("acme/tool@1.0.0", 86_400, true),
        ("acme/tool@1.0.0", 86_401, false),
        ("acme/tool@9.0.0", 0, false),
        ("acme/tool@latest", 0, false),
        (own.as_str(), 0, true),
        (shared.as_str(), 0, false),
    ];
    for (wanted, later, expected) in cases {
        let ((bed, registry), reference) = (bed(), wanted.parse().unwrap());
        let can = can_recall(bed.cache().resolutions(), &registry, &reference, NOW + later, DAY);
        assert_eq!((can, ask(wanted, later).is_ok()), (expected, expected), "{wanted} {later}");
    }
}
