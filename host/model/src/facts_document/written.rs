//! The facts document of a subject, as the audit log writes it.
//!
//! Reading the document gives the same subject.

use crate::digest::Digest;
use crate::facts::CertLevel;
use crate::facts::Facts;
use crate::facts::Origin;
use crate::facts::Score;
use crate::facts::SeverityCounts;
use crate::facts::Status;
use crate::manifest::Entrypoint;
use crate::manifest::Permissions;
use crate::manifest::Transport;
use crate::registry::Registry;
use crate::request::Subject;
use crate::text::SafeText;

/// A facts document: everything that a policy gets, in the order in which it is written. An unknown field is absent. Its
/// text is not made harmless: it is for machines, and must mean the same when it is read.
#[derive(Debug, serde::Serialize)]
pub(super) struct WrittenSubject<'s> {
    org: &'s str,
    name: &'s str,
    version: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    registry: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cert_level: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supply_chain_score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    maturity_score: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<SeverityCounts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest_digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle_digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_sha: Option<&'s SafeText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<Transport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entrypoint: Option<WrittenEntrypoint<'s>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<&'s Permissions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<&'s str>,
}

/// The command that would be started, as far as policies are told.
#[derive(Debug, serde::Serialize)]
struct WrittenEntrypoint<'s> {
    command: &'s str,
    args: &'s [String],
}

impl<'s> From<&'s Subject> for WrittenSubject<'s> {
    fn from(subject: &'s Subject) -> Self {
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
            // A document says nothing of the machine.
            confinement: _,
        } = subject;
        let Facts {
            status,
            origin,
            cert_level,
            score,
            security_score,
            supply_chain_score,
            maturity_score,
            findings,
            git_sha,
            // Doubts are for people; policies don't get them.
            doubts: _,
        } = facts;
        Self {
            org,
            name,
            version,
            registry: registry.as_ref().map(Registry::to_string),
            status: status.as_ref().map(Status::as_str),
            origin: origin.as_ref().map(Origin::word),
            cert_level: cert_level.map(CertLevel::get),
            score: score.map(Score::get),
            security_score: security_score.map(Score::get),
            supply_chain_score: supply_chain_score.map(Score::get),
            maturity_score: maturity_score.map(Score::get),
            findings: *findings,
            manifest_digest: *manifest_digest,
            bundle_digest: *bundle_digest,
            git_sha: git_sha.as_ref(),
            transport: *transport,
            // The variables and the directory are no part of the interface.
            entrypoint: entrypoint.as_ref().map(|Entrypoint { command, args, .. }| WrittenEntrypoint { command, args }),
            permissions: permissions.as_ref(),
            manifest: manifest.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;
    use serde_json::json;

    use super::*;
    use crate::facts_document;

    fn document_of(subject: &Subject) -> Value {
        serde_json::to_value(WrittenSubject::from(subject)).unwrap()
    }

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
        let whole: Value = serde_json::from_str(full).unwrap();
        let written = document_of(&read(full));
        assert_eq!(written.to_string(), whole.to_string(), "nothing is left out, and all of it is in its place");
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
