//! What a registry says of one version: a server, and its own words about it.
//!
//! What the publisher says (`server`, with a `_meta` of its own) is never a fact. The registry's words stand beside it.

use serde_json::Map;
use serde_json::Value;

use crate::official::runnable::OfferedPackage;
use smcp_bundle::manifest;
use smcp_model::digest::Digest;
use smcp_model::facts::CertLevel;
use smcp_model::facts::FactReading;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Status;
use smcp_model::limits::official;
use smcp_model::package::Version;
use smcp_model::text::SafeText;
use smcp_model::time;

/// The registry's words about a version, in its answer.
const OF_REGISTRY: &str = "io.modelcontextprotocol.registry/official";
/// What somebody has certified about a version, in the registry's answer.
const CERTIFICATION: &str = "info.mcp-hub/certification";

/// What is read of a certification.
const READ: [&str; 8] = [
    "subject_digest",
    "expires",
    "level",
    "score",
    "security_score",
    "supply_chain_score",
    "maturity_score",
    "findings",
];
/// What is read of its findings.
const COUNTS: [&str; 5] = ["critical", "high", "medium", "low", "total"];
/// About what an entry or a package takes beside its texts, bytes.
const OVERHEAD: usize = 2048;

/// A version of a server, as it stands in an answer.
#[derive(Debug)]
pub(super) struct ListedServer {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) status: Option<Status>,
    pub(super) packages: Vec<OfferedPackage>,
    /// Whether it is reached over the network, too.
    pub(super) is_remote: bool,
    certification: Option<Value>,
}

impl ListedServer {
    /// Reads an entry. The error says what is wrong with it.
    pub(super) fn read(entry: &Value) -> Result<Self, String> {
        let server = entry.get("server").and_then(Value::as_object).ok_or("`server` is missing, or no object")?;
        let text = |key: &str| {
            let text = server.get(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or_else(|| format!("`server.{key}` is missing, or no text"))
        };
        let packages = match server.get("packages") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(packages)) => {
                packages.iter().map(OfferedPackage::read).collect::<Result<Vec<_>, String>>()?
            }
            Some(_) => return Err("`server.packages` is no list".to_owned()),
        };
        let is_remote = server.get("remotes").and_then(Value::as_array).is_some_and(|remotes| !remotes.is_empty());
        let (name, version) = (text("name")?, text("version")?);
        if name.len() > official::NAME || version.len() > official::VERSION || packages.len() > official::PACKAGES {
            return Err("`server` has a name, a version or a list of packages that is too long".to_owned());
        }
        let words = match entry.get("_meta") {
            None | Some(Value::Null) => None,
            Some(Value::Object(words)) => Some(words),
            Some(_) => return Err("`_meta` is no object".to_owned()),
        };
        let of_registry = words.and_then(|words| words.get(OF_REGISTRY));
        let status = match of_registry {
            None | Some(Value::Null) => None,
            Some(Value::Object(said)) => status(said),
            Some(_) => return Err(format!("`_meta` has `{OF_REGISTRY}`, which is no object")),
        };
        let certification = words.and_then(|words| words.get(CERTIFICATION)).filter(|it| !it.is_null()).map(reduced);
        Ok(Self { name, version, status, packages, is_remote, certification })
    }

    /// About how much memory it takes, bytes.
    pub(super) fn weight(&self) -> usize {
        let packages = self.packages.iter().map(|package| package.text().len().saturating_add(OVERHEAD));
        packages.sum::<usize>().saturating_add(OVERHEAD)
    }

    /// Its version, if it is one that a reference can have.
    pub(super) fn named_version(&self) -> Option<&str> {
        self.version.parse::<Version>().ok().map(|_| self.version.as_str())
    }

    /// Its version as SemVer, if it is that.
    pub(super) fn semver(&self) -> Option<impl Ord + use<>> {
        self.version.parse::<Version>().ok()?.semver()
    }

    /// Its place among the versions that `latest` may mean: one of which nobody says that it is active stands behind all others.
    /// `None` when it isn't SemVer.
    pub(super) fn rank(&self) -> Option<impl Ord + use<>> {
        Some((self.status.is_some(), self.semver()?))
    }

    /// The facts about it when its bundle has this digest, at the time `now`.
    pub(super) fn facts(&self, digest: &Digest, now: u64) -> Facts {
        let facts = Facts { status: self.status.clone(), origin: Some(Origin::Community), ..Facts::default() };
        let Some(said) = &self.certification else { return facts };
        match held(said, digest, now) {
            Ok(said) => {
                let mut doubts = Vec::new();
                let level = FactReading::integer(said.get("level"), CertLevel::new);
                let cert_level = level.settle("certification level", "an integer from 0 to 3", &mut doubts);
                let mut said = said.clone();
                // It is the registry's answer itself: there is no second level to compare it with.
                said.remove("level");
                manifest::believe(Some(&Value::Object(said)), Facts { cert_level, doubts, ..facts })
            }
            Err(why) => {
                let doubt = format!("the certification in the registry's answer counts for nothing: {why}");
                Facts { doubts: vec![SafeText::new(&doubt)], ..facts }
            }
        }
    }
}

/// The registry's status in our words. Only the three that the API has are known: a word of ours would mean something that
/// nobody has said.
fn status(said: &Map<String, Value>) -> Option<Status> {
    match said.get("status") {
        None | Some(Value::Null) => None,
        Some(Value::String(word)) => Some(match word.as_str() {
            "active" => Status::Published,
            "deprecated" => Status::Deprecated,
            "deleted" => Status::Refused("deleted".to_owned()),
            other => Status::Refused(format!("unknown: {}", SafeText::quoted_value(other))),
        }),
        Some(other) => Some(Status::Refused(format!("unknown: {}", SafeText::quoted_value(&other.to_string())))),
    }
}

/// What is kept of a certification: what is read of it later, and nothing long.
fn reduced(said: &Value) -> Value {
    let Value::Object(said) = said else { return Value::Bool(true) };
    let kept = |(key, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => SafeText::quoted(text).to_string().into(),
            Value::Array(_) => Value::Array(Vec::new()),
            Value::Object(counts) if key == "findings" => {
                let counts = counts.iter().filter(|(key, _)| COUNTS.contains(&key.as_str()));
                let is_simple = |value: &Value| value.is_number() || value.is_null();
                counts
                    .map(|(key, count)| (key.clone(), if is_simple(count) { count.clone() } else { true.into() }))
                    .collect()
            }
            Value::Object(_) => Value::Object(Map::new()),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        };
        (key.clone(), value)
    };
    said.iter().filter(|(key, _)| READ.contains(&key.as_str())).map(kept).collect()
}

/// Returns a certification if it is of these bytes, and has not ended.
fn held<'v>(said: &'v Value, digest: &Digest, now: u64) -> Result<&'v Map<String, Value>, String> {
    let said = said.as_object().ok_or("it is no object")?;
    let subject = said.get("subject_digest").and_then(Value::as_str).ok_or("it does not say of which bytes it is")?;
    if subject != digest.to_string() {
        return Err(format!("it is of other bytes, {}", SafeText::quoted_value(subject)));
    }
    match said.get("expires") {
        None | Some(Value::Null) => Ok(said),
        Some(end) => {
            let seconds = end.as_str().and_then(time::seconds_of);
            let seconds = seconds
                .ok_or_else(|| format!("its end is {}, which is no time", SafeText::quoted_value(&end.to_string())))?;
            if seconds > now { Ok(said) } else { Err(format!("it has ended at {}", time::said(seconds))) }
        }
    }
}
