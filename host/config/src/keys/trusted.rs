//! The entries of `trusted_registries`: names, or mappings that say who signs.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::form::Base;
use crate::form::ListOf;
use crate::form::Mismatch;
use crate::form::Parsed;
use crate::form::RefusalReason;
use crate::form::ValueForm;
use crate::form::ValueSchema;
use crate::form::describe;
use crate::form::nearest;
use crate::keys::DURATION;
use crate::keys::custom::signers::SignedByForm;
use crate::keys::duration;
use crate::problem::ProblemCode;
use crate::trust::StatementRule;
use crate::trust::TrustedRegistry;
use smcp_model::limits::statements as limits;
use smcp_model::name::PackageWord;
use smcp_model::registry::Registry;
use smcp_model::signer::SignedBy;
use smcp_model::text::SafeText;
use smcp_yaml::Half;
use smcp_yaml::YamlNode;

const KEYS: [&str; 5] = ["registry", "signed_by", "max_age", "require", "verified_namespaces"];
/// Wrong words, and the keys that they most likely mean.
const MEANT: [(&str, &str); 8] = [
    ("url", "registry"),
    ("name", "registry"),
    ("signers", "signed_by"),
    ("keys", "signed_by"),
    ("age", "max_age"),
    ("required", "require"),
    ("namespaces", "verified_namespaces"),
    ("verified", "verified_namespaces"),
];
const ENTRY: &str =
    "a mapping of registry and signed_by (with max_age and require), or of registry and verified_namespaces";
const MAX_AGE: &str = "a duration above zero and at most 366d, such as `30d`";

/// A list of trusted registries.
#[derive(Debug)]
pub(crate) struct TrustedForm(pub(crate) ListOf<TrustedRegistryForm>);

/// One of them.
#[derive(Debug)]
pub(crate) struct TrustedRegistryForm {
    /// The form of its name.
    pub(crate) registry: Parsed<Registry>,
    /// Whether `signed_by` may name files.
    pub(crate) files: bool,
}

impl ValueForm for TrustedForm {
    type Value = Vec<TrustedRegistry>;

    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<Self::Value, Vec<Mismatch>> {
        let entries = self.0.read(node, base)?;
        // The same name twice is harmless, unless the two say different things.
        for (index, entry) in entries.iter().enumerate() {
            let is_other = |other: &&TrustedRegistry| other.registry == entry.registry && *other != entry;
            if entries.iter().take(index).any(|other| is_other(&other)) {
                let found = format!("names {} again, with something else", entry.registry);
                let wrong = Mismatch::new(found, "each registry once");
                let wrong = Mismatch { code: ProblemCode::Conflict, ..wrong };
                return Err(vec![wrong.inside(index, format!("[{index}]"))]);
            }
        }
        Ok(entries)
    }
}

impl ValueSchema for TrustedForm {
    fn schema(&self) -> Value {
        self.0.schema()
    }
}

impl ValueForm for TrustedRegistryForm {
    type Value = TrustedRegistry;

    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<TrustedRegistry, Vec<Mismatch>> {
        let YamlNode::Map(entries) = node else { return self.registry.read(node, base).map(TrustedRegistry::plain) };
        let (mut registry, mut signed_by, mut max_age, mut require) = (None, None, None, None);
        let mut verified = None;
        let mut mismatches = Vec::new();
        for (index, (key, value)) in entries.iter().enumerate() {
            let name = if let YamlNode::Text(name) = key { name.as_str() } else { "" };
            let label = format!(".{}", SafeText::quoted_value(name));
            let read = match name {
                "registry" => store(&mut registry, self.registry.read(value, base)),
                "signed_by" => store(&mut signed_by, self.signers(value, base)),
                "max_age" => store(&mut max_age, AGE.read(value, base)),
                "require" => store(&mut require, truth(value)),
                "verified_namespaces" => store(&mut verified, NAMESPACES.read(value, base)),
                _ => Err(vec![unknown(name)]),
            };
            let inside = |wrong: Mismatch| wrong.inside(index, label.clone());
            mismatches.extend(read.err().into_iter().flatten().map(inside));
        }
        let has = |wanted: &str| entries.iter().any(|(key, _)| matches!(key, YamlNode::Text(name) if name == wanted));
        if !has("registry") {
            mismatches.push(Mismatch::new("names no registry".to_owned(), ENTRY));
        }
        if let Some(key) = ["max_age", "require"].into_iter().find(|key| has(key) && !has("signed_by")) {
            mismatches.push(Mismatch::new(format!("has {key}, and nobody whose statements it is about"), ENTRY));
        }
        if has("verified_namespaces") && has("signed_by") {
            let found = "has verified_namespaces, and signed_by, by whose statements the origin goes".to_owned();
            mismatches.push(Mismatch::new(found, ENTRY));
        }
        if let (Some(registry), true) = (&registry, has("verified_namespaces"))
            && !matches!(registry, Registry::Official(_))
        {
            let found = format!("has verified_namespaces, and {registry} has none");
            mismatches.push(Mismatch::new(found, "an address like https://registry.modelcontextprotocol.io/v0.1"));
        }
        let (Some(registry), true) = (registry, mismatches.is_empty()) else { return Err(mismatches) };
        let statements =
            signed_by.map(|signed_by| StatementRule { signed_by, max_age, require: require.unwrap_or_default() });
        Ok(TrustedRegistry { registry, statements, verified_namespaces: verified.unwrap_or_default() })
    }
}

const AGE: Parsed<Duration> =
    Parsed { allowed: MAX_AGE, words: &[], parse: |text, _| duration(text, limits::VALIDITY), pattern: DURATION };

const NAMESPACES: ListOf<Parsed<PackageWord>> = ListOf {
    allowed: "a list of namespaces, each written out, such as [com.example, io.github.user]",
    items: Parsed {
        allowed: "a namespace, written out, such as com.example or io.github.user",
        words: &[],
        parse: |text, _| namespace(text),
        pattern: "^[A-Za-z0-9][A-Za-z0-9.-]*$",
    },
};

/// Returns a namespace. There are no patterns: who has a name has not all that begin with it.
fn namespace(text: &str) -> Result<PackageWord, RefusalReason> {
    let word: PackageWord = text.parse().map_err(|_| None)?;
    if word.as_str().contains('_') { Err(None) } else { Ok(word) }
}

/// Keeps what was read. A key that was there before is a mismatch.
fn store<T>(place: &mut Option<T>, read: Result<T, Vec<Mismatch>>) -> Result<(), Vec<Mismatch>> {
    if place.replace(read?).is_none() {
        return Ok(());
    }
    let wrong = Mismatch::new("is there twice".to_owned(), "each key once");
    Err(vec![Mismatch { half: Half::Key, code: ProblemCode::DuplicateKey, ..wrong }])
}

fn truth(node: &YamlNode) -> Result<bool, Vec<Mismatch>> {
    if let YamlNode::Bool(value) = node {
        Ok(*value)
    } else {
        Err(vec![Mismatch::new(describe(node), "true or false")])
    }
}

fn unknown(name: &str) -> Mismatch {
    let meant = || MEANT.iter().find(|(word, _)| *word == name).map(|(_, key)| *key);
    let suggestion = nearest(name, KEYS).or_else(meant).map(str::to_owned);
    let wrong = Mismatch::new("is no key of a trusted registry".to_owned(), ENTRY);
    Mismatch { suggestion, half: Half::Key, code: ProblemCode::UnknownKey, ..wrong }
}

impl TrustedRegistryForm {
    fn signers(&self, node: &YamlNode, base: Base<'_>) -> Result<SignedBy, Vec<Mismatch>> {
        let signed_by = SignedByForm.read(node, base)?;
        if !self.files && !signed_by.files().is_empty() {
            let found = "names a file, and a policy set has no keys in it".to_owned();
            return Err(vec![Mismatch::new(found, "`minisign: KEY`, or issuer and identity without trusted_root")]);
        }
        Ok(signed_by)
    }
}

impl ValueSchema for TrustedRegistryForm {
    fn schema(&self) -> Value {
        let object = |properties: Value, required: &[&str]| {
            json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            })
        };
        let plain = object(json!({"registry": self.registry.schema()}), &["registry"]);
        let signed = json!({
            "registry": self.registry.schema(),
            "signed_by": SignedByForm.schema(),
            "max_age": AGE.schema(),
            "require": {"type": "boolean"},
        });
        let verified = json!({"registry": self.registry.schema(), "verified_namespaces": NAMESPACES.schema()});
        let verified = object(verified, &["registry", "verified_namespaces"]);
        json!({"anyOf": [self.registry.schema(), plain, object(signed, &["registry", "signed_by"]), verified]})
    }
}
