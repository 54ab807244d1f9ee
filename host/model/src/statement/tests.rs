//! What a statement says, and what is none.

use serde_json::Value;
use serde_json::json;

use super::*;
use crate::facts::CertLevel;

const DAY: u64 = 86_400;
const ISSUED: u64 = 1_800_000_000;

fn target() -> StatementTarget {
    StatementTarget { package: "acme/tool@1.0.0".to_owned(), manifest: Digest::of(b"m"), bundle: Digest::of(b"b") }
}

fn facts() -> Facts {
    Facts {
        status: Some(Status::Published),
        origin: Some(Origin::Verified),
        cert_level: CertLevel::new(2_u8),
        score: Score::new(91_u8),
        findings: Some(SeverityCounts { critical: 0, high: 1, medium: 2, low: 3 }),
        ..Facts::default()
    }
}

fn terms() -> StatementTerms {
    StatementTerms { issued: ISSUED, expires: ISSUED + 90 * DAY, sequence: 7 }
}

fn written() -> Value {
    let statement = FactsStatement::new(&target(), None, facts(), terms()).unwrap();
    serde_json::from_str(&statement.to_text()).unwrap()
}

#[test]
fn a_statement_reads_back_as_it_was_made() {
    for artefact in [None, Some(Digest::of(b"a"))] {
        for facts in [facts(), Facts::default()] {
            let statement = FactsStatement::new(&target(), artefact, facts.clone(), terms()).unwrap();
            let read = FactsStatement::read(statement.to_text().as_bytes()).unwrap().unwrap();
            assert_eq!(read, statement);
            assert_eq!((read.facts(), read.terms()), (&facts, terms()));
            assert_eq!(read.check_target(&target()), Ok(()), "the image does not matter");
        }
    }
}

#[test]
fn a_statement_is_about_one_version_and_its_bytes() {
    let statement = FactsStatement::new(&target(), None, facts(), terms()).unwrap();
    for (other, said) in [
        (StatementTarget { package: "acme/tool@1.0.1".into(), ..target() }, "it is about acme/tool@1.0.0"),
        (StatementTarget { package: "acme/tool".into(), ..target() }, "it is about acme/tool@1.0.0"),
        (StatementTarget { manifest: Digest::of(b"b"), ..target() }, "it is about the manifest sha256:"),
        (StatementTarget { bundle: Digest::of(b"m"), ..target() }, "it is about the bundle sha256:"),
    ] {
        let error = statement.check_target(&other).unwrap_err();
        assert!(error.as_str().starts_with(said), "{error}");
    }
}

#[test]
fn what_is_no_statement_with_facts_is_passed_over_and_what_is_damaged_is_not() {
    let mut other = written();
    other["predicateType"] = json!("https://slsa.dev/provenance/v1");
    other["predicate"] = json!({"buildDefinition": {}});
    assert_eq!(FactsStatement::read(other.to_string().as_bytes()), Ok(None));
    let change = |pointer: &str, value: Value| {
        let mut changed = written();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = changed.pointer_mut(parent).unwrap();
        match (parent, key.parse::<usize>()) {
            (Value::Object(members), _) => drop(members.insert(key.to_owned(), value)),
            (list, Ok(index)) => list[index] = value,
            _ => panic!("{pointer}"),
        }
        changed.to_string()
    };
    let subject = |name: &str| json!({"name": name, "digest": {"sha256": "0".repeat(64)}});
    let late = ISSUED + 366 * DAY + 1;
    for (pointer, value, problem) in [
        ("/predicateType", json!("https://mcp-hub.info/facts/v2"), "which this smcp does not know"),
        ("/_type", json!("https://in-toto.io/Statement/v0.1"), "its type is"),
        ("/_type", Value::Null, "invalid type: null"),
        ("/more", json!(1), "unknown field `more`"),
        ("/predicate/more", json!(1), "unknown field `more`"),
        ("/subject/0/uri", json!("x"), "unknown field `uri`"),
        ("/subject/0/digest/sha512", json!("x"), "unknown field `sha512`"),
        ("/subject/0/digest/sha256", json!("F".repeat(64)), "is not a digest"),
        ("/subject/0", subject("acme/tool@1.0.1#manifest"), "of one version"),
        ("/subject/0", subject("acme/tool@1.0.0"), "none of the manifest, bundle and artefact"),
        ("/subject/0", subject("acme/tool@1.0.0#readme"), "none of the manifest, bundle and artefact"),
        ("/subject/0", subject("acme/tool@1.0.0#bundle"), "none of the manifest, bundle and artefact"),
        ("/subject/0", subject("acme/tool@1.0.0#artefact"), "are not the manifest and the bundle"),
        ("/subject", json!([]), "are not the manifest and the bundle"),
        ("/predicate/score", json!(101), "0 to 100"),
        ("/predicate/score", json!("91"), "invalid type"),
        ("/predicate/score", json!(91.0), "invalid type"),
        ("/predicate/cert_level", json!(4), "0 to 3"),
        ("/predicate/origin", json!(" "), "is no word"),
        ("/predicate/status", json!(1), "invalid type"),
        ("/predicate/findings", json!({"critical": 0, "high": 0, "medium": 0}), "missing field `low`"),
        ("/predicate/sequence", json!(0), "its sequence is not"),
        ("/predicate/sequence", json!(9_007_199_254_740_992_u64), "its sequence is not"),
        ("/predicate/sequence", json!(-1), "invalid value"),
        ("/predicate/issued", json!("yesterday"), "which is no time"),
        ("/predicate/expires", json!(time::utc_of(ISSUED)), "before it was issued"),
        ("/predicate/expires", json!(time::utc_of(late)), "more than a year"),
        ("/predicate/expires", Value::Null, "invalid type: null"),
    ] {
        let error = FactsStatement::read(change(pointer, value.clone()).as_bytes()).unwrap_err();
        assert!(error.as_str().contains(problem), "{pointer} {value}: {error}");
    }
    let twice = written().to_string().replacen("\"score\":91", "\"score\":1,\"score\":91", 1);
    assert!(FactsStatement::read(twice.as_bytes()).unwrap_err().as_str().contains("stands twice"));
    let long = format!("{}{}", written(), " ".repeat(limits::STATEMENT));
    assert!(FactsStatement::read(long.as_bytes()).unwrap_err().as_str().contains("more than"));
    for nothing in ["", "{}", "[]", "null", "nonsense"] {
        assert!(FactsStatement::read(nothing.as_bytes()).is_err(), "{nothing}");
    }
}

#[test]
fn a_revocation_keeps_the_word() {
    let facts = Facts { status: Some(Status::Refused("revoked".to_owned())), ..Facts::default() };
    let statement = FactsStatement::new(&target(), None, facts.clone(), terms()).unwrap();
    assert_eq!(FactsStatement::read(statement.to_text().as_bytes()).unwrap().unwrap().facts(), &facts);
}

#[test]
fn statements_that_come_are_bounded() {
    let minisign = |statement: usize, signature: usize| ArrivedStatement::Minisign {
        statement: vec![b' '; statement],
        signature: vec![b' '; signature],
    };
    let sigstore = |length: usize| {
        let mut bundle = br#"{"dsseEnvelope": {"payload": ""}}"#.to_vec();
        bundle.resize(length, b' ');
        ArrivedStatement::Sigstore { bundle }
    };
    let most = limits::BUNDLE;
    for (statement, is_taken) in [
        (minisign(limits::STATEMENT, 1), true),
        (minisign(limits::STATEMENT + 1, 1), false),
        (minisign(1, crate::limits::signatures::MINISIGN + 1), false),
        (sigstore(most), true),
        (sigstore(most + 1), false),
    ] {
        let mut arrived = ArrivedStatements::default();
        arrived.add(statement).unwrap();
        assert_eq!(arrived.all().len(), usize::from(is_taken));
    }
    let mut many = ArrivedStatements::default();
    (0..limits::PER_VERSION).for_each(|_| many.add(minisign(1, 1)).unwrap());
    assert!(many.add(minisign(1, 1)).unwrap_err().as_str().contains("more signed statements"));
    let mut large = ArrivedStatements::default();
    (0..limits::TOTAL / most).for_each(|_| large.add(sigstore(most)).unwrap());
    assert!(large.add(minisign(1, 1)).is_err());
}

#[test]
fn a_bundle_about_something_else_is_not_counted() {
    let envelope = |payload: &str| {
        let payload = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, payload);
        format!(r#"{{"mediaType": "x", "dsseEnvelope": {{"payload": "{payload}", "signatures": []}}}}"#)
    };
    for (bundle, is_taken) in [
        (envelope(r#"{"predicateType": "https://mcp-hub.info/facts/v1"}"#), true),
        (envelope(r#"{"predicateType": "https://mcp-hub.info/facts/v2", "predicateType": "x"}"#), true),
        // Somebody who is believed may have signed it: then it was not understood.
        (envelope("nonsense"), true),
        (envelope(r#"{"predicateType": "https://spdx.dev/Document"}"#), false),
        (r#"{"dsseEnvelope": {"payload": "-"}}"#.to_owned(), false),
        (r#"{"messageSignature": {}}"#.to_owned(), false),
        ("nonsense".to_owned(), false),
    ] {
        let mut arrived = ArrivedStatements::default();
        arrived.add(ArrivedStatement::Sigstore { bundle: bundle.clone().into_bytes() }).unwrap();
        assert_eq!(arrived.all().len(), usize::from(is_taken), "{bundle}");
    }
}
