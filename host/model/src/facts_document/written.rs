//! Writes a subject as a facts document, for the audit log.
//!
//! Reading the document gives the same subject.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::facts::CertLevel;
use crate::facts::Facts;
use crate::facts::Score;
use crate::facts::Status;
use crate::request::Subject;

/// Returns the facts document of a subject: everything that a policy gets. An unknown field is absent. Its text is not
/// made harmless: it is for machines, and must mean the same when it is read.
pub(super) fn document_of(subject: &Subject) -> Value {
    let Subject {
        org,
        name,
        version,
        registry,
        facts,
        manifest_digest,
        bundle_digest,
        transport,
        entrypoint,
        permissions,
        manifest,
    } = subject;
    let Facts {
        status,
        origin,
        cert_level,
        score: whole,
        security_score,
        supply_chain_score,
        maturity_score,
        findings,
        git_sha,
        // Doubts are for people; policies don't get them.
        doubts: _,
    } = facts;
    let score = |score: &Option<Score>| score.map(|score| json!(score.get()));
    let members = [
        ("org", Some(json!(org))),
        ("name", Some(json!(name))),
        ("version", Some(json!(version))),
        ("registry", registry.as_ref().map(|registry| json!(registry.to_string()))),
        ("status", status.as_ref().map(|status| json!(Status::as_str(status)))),
        ("origin", origin.as_ref().map(|origin| json!(origin.word()))),
        ("cert_level", cert_level.map(|level| json!(CertLevel::get(level)))),
        ("score", score(whole)),
        ("security_score", score(security_score)),
        ("supply_chain_score", score(supply_chain_score)),
        ("maturity_score", score(maturity_score)),
        ("findings", findings.map(|counts| json!(counts))),
        ("manifest_digest", manifest_digest.map(|digest| json!(digest))),
        ("bundle_digest", bundle_digest.map(|digest| json!(digest))),
        ("git_sha", git_sha.as_ref().map(|sha| json!(sha))),
        ("transport", transport.map(|transport| json!(transport))),
        ("entrypoint", entrypoint.as_ref().map(|it| json!({ "command": it.command, "args": it.args }))),
        (
            "permissions",
            permissions.as_ref().map(|asked| {
                json!({
                    "network": asked.network,
                    "filesystem_read": asked.filesystem_read,
                    "filesystem_write": asked.filesystem_write,
                    "environment": asked.environment,
                    "subprocess": asked.subprocess,
                })
            }),
        ),
        ("manifest", manifest.as_ref().map(|text| json!(text))),
    ];
    members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::facts_document;

    fn read(document: &str) -> Subject {
        facts_document::read(document.as_bytes(), Path::new("/"), None).unwrap()
    }

    #[test]
    fn a_written_document_is_read_back_as_the_same_subject() {
        let full = r#"{
            "org": "acme", "name": "tool", "version": "1.0.0", "registry": "https://r.example/a", "status": "strange",
            "origin": "Our\u001bOwn", "cert_level": 2, "score": 81, "security_score": 80, "supply_chain_score": 70,
            "maturity_score": 60, "findings": {"critical": 0, "high": 1, "medium": 4, "low": 2},
            "manifest_digest": "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "bundle_digest": "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210",
            "git_sha": "abc", "transport": "http", "entrypoint": {"command": "sh", "args": ["-c", "x"]},
            "permissions": {"network": ["a"], "filesystem_read": ["b"], "filesystem_write": ["c"],
                            "environment": ["D"], "subprocess": true},
            "manifest": "{\"a\": \"\u202e\"}"
        }"#;
        for document in ["{}", full, r#"{"status": "published", "origin": "official"}"#] {
            let subject = read(document);
            let written = document_of(&subject);
            assert_eq!(read(&written.to_string()), subject);
        }
        let written = document_of(&read(full));
        let keys = |value: &Value| value.as_object().unwrap().len();
        assert_eq!(keys(&written), keys(&serde_json::from_str(full).unwrap()), "nothing is left out");
    }

    #[test]
    fn a_record_of_a_later_version_is_read_and_a_wrong_one_is_not() {
        #[derive(Debug, serde::Serialize, serde::Deserialize)]
        struct Holder {
            #[serde(with = "facts_document")]
            subject: Subject,
        }
        let holder = Holder { subject: read(r#"{"name": "tool", "score": 81}"#) };
        let mut written = serde_json::to_value(&holder).unwrap();
        written["subject"]["later"] = json!(1);
        let back: Holder = serde_json::from_value(written.clone()).unwrap();
        assert_eq!(back.subject, holder.subject);
        for wrong in [json!({"score": 101}), json!({"findings": {"high": 1}}), json!([]), json!(null)] {
            written["subject"] = wrong;
            serde_json::from_value::<Holder>(written.clone()).unwrap_err();
        }
    }
}
