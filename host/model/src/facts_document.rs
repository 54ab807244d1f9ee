//! A facts document: the subject of a request as JSON (spec 5).
//!
//! The user wrote it, so an impossible value is an error, and all errors are reported at once. Only in a registry's own
//! documents is such a value an unknown fact.

mod object;
mod written;

pub use object::FactsProblem;

use std::path::Path;

use serde::Deserialize as _;
use serde::Serialize as _;
use serde::de::Error as _;
use serde_json::Map;
use serde_json::Value;

use crate::digest::Digest;
use crate::encoding;
use crate::facts::CertLevel;
use crate::facts::Facts;
use crate::facts::Origin;
use crate::facts::Score;
use crate::facts::SeverityCounts;
use crate::facts::Status;
use crate::facts_document::object::Object;
use crate::facts_document::object::UnknownKeys;
use crate::facts_document::written::WrittenSubject;
use crate::manifest::Entrypoint;
use crate::manifest::Permissions;
use crate::manifest::Transport;
use crate::registry::Registry;
use crate::request::Subject;
use crate::text::SafeText;
use crate::unambiguous;

/// The fields of `request.subject` in snake_case, all of them optional: an absent field is unknown.
const KEYS: [&str; 19] = [
    "org",
    "name",
    "version",
    "registry",
    "status",
    "origin",
    "cert_level",
    "score",
    "security_score",
    "supply_chain_score",
    "maturity_score",
    "findings",
    "manifest_digest",
    "bundle_digest",
    "git_sha",
    "transport",
    "entrypoint",
    "permissions",
    "manifest",
];

/// A facts document can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// It is empty.
    #[error("the facts document is empty; it must be JSON, such as {{\"score\": 80}}")]
    Empty,
    /// It is not UTF-8, as JSON must be.
    #[error("the facts document is not UTF-8 text\n  save it as JSON in UTF-8")]
    Encoding,
    /// It is not JSON, but perhaps YAML.
    #[error("the facts document must be JSON, such as {{\"score\": 80}}, and it is not: {0}")]
    Syntax(serde_json::Error),
    /// It is JSON, but a list or a bare value.
    #[error("the facts document must be an object, such as {{\"score\": 80}}")]
    NotAnObject,
    /// It says nothing of which package it is about, where that has to be known.
    #[error("the facts document has no `name`: a catalogue says of each package which it is")]
    Nameless,
    /// Some of its fields are wrong.
    #[error("the facts document{}", listed(.0))]
    Wrong(Vec<FactsProblem>),
}

impl DocumentError {
    /// The problems of single fields; empty when the document as a whole is wrong.
    pub fn problems(&self) -> &[FactsProblem] {
        match self {
            Self::Empty | Self::Encoding | Self::Syntax(_) | Self::NotAnObject | Self::Nameless => &[],
            Self::Wrong(problems) => problems,
        }
    }
}

/// One problem, or the number of problems and each on its own line.
fn listed(problems: &[FactsProblem]) -> String {
    if let [problem] = problems {
        return format!(": {problem}");
    }
    let lines = problems.iter().map(|problem| format!("\n  {problem}"));
    std::iter::once(format!(" has {} problems", problems.len())).chain(lines).collect()
}

/// Reads a facts document. In its registry, a relative path starts from `base`, and `~` is `home`.
///
/// # Errors
/// See [`DocumentError`].
pub fn read(bytes: &[u8], base: &Path, home: Option<&Path>) -> Result<Subject, DocumentError> {
    read_as(bytes, base, home, false)
}

/// Does the same with a document that has to say which package it is about.
///
/// # Errors
/// As for [`read`], and [`DocumentError::Nameless`].
pub fn read_named(bytes: &[u8], base: &Path, home: Option<&Path>) -> Result<Subject, DocumentError> {
    read_as(bytes, base, home, true)
}

fn read_as(bytes: &[u8], base: &Path, home: Option<&Path>, is_named: bool) -> Result<Subject, DocumentError> {
    let bytes = encoding::without_mark(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(DocumentError::Empty);
    }
    if str::from_utf8(bytes).is_err() || bytes.contains(&0) {
        return Err(DocumentError::Encoding);
    }
    unambiguous::check(bytes).map_err(DocumentError::Syntax)?;
    let document: Value = serde_json::from_slice(bytes).map_err(DocumentError::Syntax)?;
    let members = document.as_object().ok_or(DocumentError::NotAnObject)?;
    let mut problems = Vec::new();
    let mut object = Object::new(String::new(), members, &KEYS, UnknownKeys::Wrong, &mut problems);
    let subject = subject(&mut object, base, home);
    if !problems.is_empty() {
        return Err(DocumentError::Wrong(problems));
    }
    let names_one = || members.get("name").and_then(Value::as_str).is_some_and(|name| !name.trim().is_empty());
    if is_named && !names_one() { Err(DocumentError::Nameless) } else { Ok(subject) }
}

/// Writes a subject as a facts document, for `#[serde(with)]`: everything that a policy gets. Its text is not made
/// harmless: it is for machines, and must mean the same when it is read.
///
/// # Errors
/// When the serialiser fails.
pub fn serialize<S: serde::Serializer>(subject: &Subject, serializer: S) -> Result<S::Ok, S::Error> {
    WrittenSubject::from(subject).serialize(serializer)
}

/// Reads a subject that [`serialize`] has written. Keys that a later version has added are left out.
///
/// # Errors
/// When a value can't be meant.
pub fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Subject, D::Error> {
    let members = Map::deserialize(deserializer)?;
    let mut problems = Vec::new();
    let mut object = Object::new(String::new(), &members, &KEYS, UnknownKeys::LeftOut, &mut problems);
    let subject = subject(&mut object, Path::new("/"), None);
    if problems.is_empty() { Ok(subject) } else { Err(D::Error::custom(DocumentError::Wrong(problems))) }
}

fn subject(object: &mut Object<'_, '_>, base: &Path, home: Option<&Path>) -> Subject {
    Subject {
        // A document about no particular package needs a name to show, too.
        org: text(object, "org").unwrap_or_else(|| "local".to_owned()),
        name: text(object, "name").unwrap_or_else(|| "facts".to_owned()),
        version: text(object, "version").unwrap_or_else(|| "0.0.0".to_owned()),
        registry: object.parse("registry", |text| Registry::from_text(text, base, home)),
        facts: facts(object),
        manifest_digest: object.parse("manifest_digest", str::parse::<Digest>),
        bundle_digest: object.parse("bundle_digest", str::parse::<Digest>),
        transport: object.read("transport", "stdio, http", |value| match value.as_str() {
            Some("stdio") => Some(Transport::Stdio),
            Some("http") => Some(Transport::Http),
            Some(_) | None => None,
        }),
        entrypoint: object.whole("entrypoint", &["command", "args"]).map(|mut start| Entrypoint {
            command: text(&mut start, "command").unwrap_or_default(),
            args: texts(&mut start, "args"),
            ..Entrypoint::default()
        }),
        permissions: permissions(object),
        manifest: text(object, "manifest"),
        confinement: None,
    }
}

fn permissions(object: &mut Object<'_, '_>) -> Option<Permissions> {
    let keys = ["network", "filesystem_read", "filesystem_write", "environment", "subprocess"];
    object.whole("permissions", &keys).map(|mut asked| Permissions {
        network: texts(&mut asked, "network"),
        filesystem_read: texts(&mut asked, "filesystem_read"),
        filesystem_write: texts(&mut asked, "filesystem_write"),
        environment: texts(&mut asked, "environment"),
        subprocess: asked.read("subprocess", "true, false", Value::as_bool).unwrap_or_default(),
    })
}

fn facts(object: &mut Object<'_, '_>) -> Facts {
    let mut score = |key| object.read(key, "a whole number from 0 to 100", |value| value.as_u64().and_then(Score::new));
    let (whole, security, supply_chain, maturity) =
        (score("score"), score("security_score"), score("supply_chain_score"), score("maturity_score"));
    Facts {
        status: object.read("status", "a word, such as published", word).map(Status::from_word),
        origin: object.read("origin", "a word, such as verified", Value::as_str).and_then(Origin::from_word),
        cert_level: object
            .read("cert_level", "a whole number from 0 to 3", |value| value.as_u64().and_then(CertLevel::new)),
        score: whole,
        security_score: security,
        supply_chain_score: supply_chain,
        maturity_score: maturity,
        findings: object.whole("findings", &["critical", "high", "medium", "low"]).map(|mut counts| {
            let mut count = |key| {
                let number = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
                counts.read(key, "a whole number from 0 to 4294967295", number).unwrap_or_default()
            };
            SeverityCounts {
                critical: count("critical"),
                high: count("high"),
                medium: count("medium"),
                low: count("low"),
            }
        }),
        git_sha: object.read("git_sha", "a text", Value::as_str).map(SafeText::new),
        doubts: Vec::new(),
    }
}

fn word(value: &Value) -> Option<&str> {
    value.as_str().filter(|word| !word.trim().is_empty())
}

fn text(object: &mut Object<'_, '_>, key: &'static str) -> Option<String> {
    object.read(key, "a text", Value::as_str).map(str::to_owned)
}

fn texts(object: &mut Object<'_, '_>, key: &'static str) -> Vec<String> {
    let texts = |value: &Value| {
        let elements = value.as_array()?.iter();
        elements.map(|element| element.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
    };
    object.read(key, "a list of texts", texts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: impl AsRef<[u8]>) -> Result<Subject, DocumentError> {
        super::read(json.as_ref(), Path::new("/base"), None)
    }

    #[test]
    fn an_absent_fact_is_unknown() {
        for document in [
            "{}",
            "\u{feff} {}\n",
            r#"{"score": null, "origin": " ", "findings": null, "permissions": null, "org": null}"#,
        ] {
            let subject = read(document).unwrap();
            assert_eq!(subject.label(), "local/facts@0.0.0");
            assert_eq!(subject.facts, Facts::default());
            assert_eq!((subject.permissions, subject.entrypoint), (None, None));
        }
    }

    #[test]
    fn a_fact_that_can_not_be_meant_is_an_error_with_its_place() {
        let score = "(allowed: a whole number from 0 to 100)";
        let lacks = "policies are told the whole of it, or nothing when it is left out";
        let cases = [
            (r#"{"score": "80"}"#, format!("`/score` is the text `80` {score}")),
            (r#"{"score": 200}"#, format!("`/score` is the number 200 {score}")),
            (r#"{"score": -1}"#, format!("`/score` is the number -1 {score}")),
            (r#"{"maturity_score": 72.5}"#, format!("`/maturity_score` is the number 72.5 {score}")),
            (r#"{"security_score": 80.0}"#, format!("`/security_score` is the number 80.0 {score}")),
            (r#"{"supply_chain_score": true}"#, format!("`/supply_chain_score` is true {score}")),
            (r#"{"cert_level": 4}"#, "`/cert_level` is the number 4 (allowed: a whole number from 0 to 3)".to_owned()),
            (r#"{"origin": 5}"#, "`/origin` is the number 5 (allowed: a word, such as verified)".to_owned()),
            (r#"{"status": ""}"#, "`/status` is an empty text (allowed: a word, such as published)".to_owned()),
            (r#"{"transport": "carrier"}"#, "`/transport` is the text `carrier` (allowed: stdio, http)".to_owned()),
            (r#"{"name": ["a"]}"#, "`/name` is a list (allowed: a text)".to_owned()),
            (r#"{"findings": 3}"#, "`/findings` is the number 3 (allowed: an object)".to_owned()),
            (r#"{"findings": {"critical": 0}}"#, format!("`/findings` has no `high`, `medium`, `low`: {lacks}")),
            (
                r#"{"findings": {"critical": 4294967296, "high": 0, "medium": 0, "low": 0}}"#,
                "`/findings/critical` is the number 4294967296 (allowed: a whole number from 0 to 4294967295)"
                    .to_owned(),
            ),
            (
                r#"{"permissions": {"network": ["*"], "filesystem_read": [], "filesystem_write": [], "environment": []}}"#,
                format!("`/permissions` has no `subprocess`: {lacks}"),
            ),
            (r#"{"entrypoint": {"command": "sh"}}"#, format!("`/entrypoint` has no `args`: {lacks}")),
            (
                r#"{"entrypoint": {"command": "sh", "args": [1]}}"#,
                "`/entrypoint/args` is a list (allowed: a list of texts)".to_owned(),
            ),
            (r#"{"entrypoint": "server"}"#, "`/entrypoint` is the text `server` (allowed: an object)".to_owned()),
            (
                r#"{"scor": 80}"#,
                format!("`/scor` is no key of a facts document; did you mean `score`? (allowed: {})", KEYS.join(", ")),
            ),
        ];
        for (json, expected) in cases {
            let error = read(json).unwrap_err();
            assert_eq!(error.to_string(), format!("the facts document: {expected}"));
            assert_eq!(error.problems().len(), 1);
        }
    }

    #[test]
    fn a_key_is_found_by_any_spelling() {
        let cases = [
            ("cert-level", "cert_level"),
            ("certLevel", "cert_level"),
            ("Score", "score"),
            ("supply-chain-score", "supply_chain_score"),
            ("finding", "findings"),
        ];
        for (key, meant) in cases {
            let error = read(format!("{{\"{key}\": null}}")).unwrap_err().to_string();
            assert!(error.contains(&format!("did you mean `{meant}`?")), "{error}");
        }
        let whole = r#""filesystem_read": [], "filesystem_write": [], "environment": [], "subprocess": false"#;
        let error = read(format!("{{\"permissions\": {{\"net-work\": [], {whole}}}}}")).unwrap_err().to_string();
        assert!(
            error.contains("`/permissions/net-work` is no key of a facts document; did you mean `network`?"),
            "{error}"
        );
    }

    #[test]
    fn all_problems_are_reported_at_once_and_nothing_in_them_steers_a_terminal() {
        let error = read("{\"score\": \"\\u001b[2J\", \"a/~\u{202e}\": 1, \"cert_level\": 9}").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("the facts document has 3 problems\n  `/a~1~0\\u{202e}` is no key"), "{text}");
        assert!(text.contains("\n  `/score` is the text `\\u{1b}[2J`"), "{text}");
        assert_eq!(error.problems().len(), 3);
    }

    #[test]
    fn a_document_that_is_not_json_is_refused_in_plain_words() {
        for (document, says) in [
            ("", "it is empty; it must be JSON"),
            ("\u{feff}\n", "is empty; it must be JSON, such as {\"score\": 80}"),
            ("score: 80\n", "must be JSON, such as {\"score\": 80}, and it is not: expected value at line 1 column 1"),
            ("---\nscore: 80\n", "must be JSON"),
            ("{score: 80}", "must be JSON"),
            ("{\"score\": 80", "must be JSON"),
            ("{} {}", "trailing characters"),
            ("[]", "must be an object, such as"),
            ("[\"acme\", \"tool\", \"1.0.0\"]", "must be an object, such as"),
            ("80", "must be an object, such as"),
            ("{\"score\": 80, \"score\": 90}", "the key `score` stands twice in one object"),
            ("{\"findings\": {\"low\": 0, \"low\": 1}}", "the key `low` stands twice in one object"),
            ("{\"bundle_digest\": \"sha256:00\"}", "`/bundle_digest` can't be used: "),
            ("{\"registry\": \"ftp://x\"}", "`/registry` can't be used: "),
        ] {
            let error = read(document).unwrap_err().to_string();
            assert!(error.contains(says.trim_start_matches("it ")), "{document}: {error}");
        }
        for document in [b"\xff\xfe{\0}\0".as_slice(), b"{\"a\": \"\xff\"}"] {
            assert!(matches!(read(document), Err(DocumentError::Encoding)));
        }
        assert!(read("[".repeat(100_000)).is_err(), "depth is bounded");
    }
}
