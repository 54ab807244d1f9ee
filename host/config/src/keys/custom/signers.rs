//! The value of `signed_by` in an entry of `policy.custom`.

use serde_json::Value;
use serde_json::json;

use crate::form::Base;
use crate::form::Mismatch;
use crate::form::ValueForm;
use crate::form::ValueSchema;
use crate::form::describe;
use crate::form::nearest;
use crate::form::path;
use crate::problem::ProblemCode;
use smcp_model::limits::signatures as limits;
use smcp_model::signer::Demand;
use smcp_model::signer::MinisignKey;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_model::signer::TrustedRoot;
use smcp_model::text::SafeText;
use smcp_yaml::Half;
use smcp_yaml::YamlNode;

const ALLOWED: &str = "a list of 1 to 64 signers, of which one must fit: `minisign: KEY`, `key: FILE.pem`, \
                       `{issuer: URL, identity: TEXT}`, or `all_of:` a list of these";
const SIGNER: &str = "a mapping of minisign, or of key (with log and trusted_root), or of issuer and identity (with \
                      trusted_root)";
const PATH: &str = "a path of a file system: absolute, ~/…, or relative to the directory of this file";

/// The keys of a signer, and how each is read.
const KEYS: [&str; 6] = ["minisign", "key", "log", "issuer", "identity", "trusted_root"];
/// Wrong words, and the keys that they most likely mean.
const MEANT: [(&str, &str); 7] = [
    ("pem", "key"),
    ("file", "key"),
    ("public_key", "key"),
    ("subject", "identity"),
    ("email", "identity"),
    ("tlog", "log"),
    ("root", "trusted_root"),
];

/// Who must have signed.
#[derive(Debug)]
pub(crate) struct SignedByForm;

impl ValueForm for SignedByForm {
    type Value = SignedBy;

    fn read(&self, node: &YamlNode, base: Base<'_>) -> Result<SignedBy, Vec<Mismatch>> {
        let demands = items(node, |item| demand(item, base))?;
        SignedBy::new(demands).ok_or_else(|| vec![Mismatch::new("is empty".to_owned(), ALLOWED)])
    }
}

/// Reads a list that is not empty, and everything that is wrong with it.
fn items<T>(node: &YamlNode, read: impl Fn(&YamlNode) -> Result<T, Vec<Mismatch>>) -> Result<Vec<T>, Vec<Mismatch>> {
    let YamlNode::List(items) = node else { return Err(vec![Mismatch::new(describe(node), ALLOWED)]) };
    if !(1..=limits::SIGNERS).contains(&items.len()) {
        let found = if items.is_empty() { "is empty".to_owned() } else { format!("has {} items", items.len()) };
        return Err(vec![Mismatch::new(found, ALLOWED)]);
    }
    let (mut values, mut mismatches) = (Vec::new(), Vec::new());
    for (index, item) in items.iter().enumerate() {
        match read(item) {
            Ok(value) => values.push(value),
            Err(wrong) => {
                mismatches.extend(wrong.into_iter().map(|wrong| wrong.inside(index, format!("[{index}]"))));
            }
        }
    }
    if mismatches.is_empty() { Ok(values) } else { Err(mismatches) }
}

fn demand(node: &YamlNode, base: Base<'_>) -> Result<Demand, Vec<Mismatch>> {
    if let YamlNode::Map(entries) = node
        && let [(YamlNode::Text(key), all)] = entries.as_slice()
        && key == "all_of"
    {
        let all = items(all, |item| signer(item, base)).and_then(all_different);
        let inside = |wrong: Vec<Mismatch>| wrong.into_iter().map(|it| it.inside(0, ".all_of".to_owned())).collect();
        return all.map(Demand::All).map_err(inside);
    }
    signer(node, base).map(Demand::One)
}

/// Makes sure that nobody is named twice: he alone would be all of them.
fn all_different(signers: Vec<Signer>) -> Result<Vec<Signer>, Vec<Mismatch>> {
    let before = |index: usize| signers.iter().take(index);
    let repeated = signers.iter().enumerate().filter_map(|(index, signer)| {
        let first = before(index).position(|other| other.is_same_as(signer))?;
        let found = format!("is the signer that is [{first}], too");
        let wrong = Mismatch {
            code: ProblemCode::Conflict,
            ..Mismatch::new(found, "different signers, all of whom must sign")
        };
        Some(wrong.inside(index, format!("[{index}]")))
    });
    let repeated: Vec<_> = repeated.collect();
    if repeated.is_empty() { Ok(signers) } else { Err(repeated) }
}

/// The texts of one signer.
#[derive(Default)]
struct Texts<'n> {
    of: [Option<(usize, &'n str)>; KEYS.len()],
}

impl<'n> Texts<'n> {
    /// Returns the text of a key, and the index of its entry.
    fn get(&self, key: &str) -> Option<(usize, &'n str)> {
        let index = KEYS.iter().position(|known| *known == key)?;
        self.of.get(index).copied().flatten()
    }

    /// The keys that are there.
    fn keys(&self) -> Vec<&'static str> {
        KEYS.into_iter().filter(|key| self.get(key).is_some()).collect()
    }

    /// Returns the value of a key, parsed; what is wrong with it otherwise.
    fn parse<T>(
        &self,
        key: &str,
        allowed: &str,
        parse: impl Fn(&str) -> Result<T, Option<&'static str>>,
    ) -> Result<Option<T>, Vec<Mismatch>> {
        let Some((index, text)) = self.get(key) else { return Ok(None) };
        let wrong = |why: Option<&str>| {
            let found = describe(&YamlNode::Text(text.to_owned()));
            let found = why.map_or_else(|| found.clone(), |why| format!("{found}: {why}"));
            vec![Mismatch::new(found, allowed).inside(index, format!(".{key}"))]
        };
        parse(text).map(Some).map_err(wrong)
    }
}

/// Reads the keys of a signer, all of which have texts as values.
fn texts(node: &YamlNode) -> Result<Texts<'_>, Vec<Mismatch>> {
    let YamlNode::Map(entries) = node else { return Err(vec![Mismatch::new(describe(node), SIGNER)]) };
    let (mut texts, mut mismatches) = (Texts::default(), Vec::new());
    for (index, (key, value)) in entries.iter().enumerate() {
        let name = if let YamlNode::Text(name) = key { name.as_str() } else { "" };
        let label = format!(".{}", SafeText::quoted_value(name));
        let at = KEYS.iter().position(|known| *known == name);
        let Some(slot) = at.and_then(|at| texts.of.get_mut(at)) else {
            let meant = || MEANT.iter().find(|(word, _)| *word == name).map(|(_, key)| *key);
            let suggestion = nearest(name, KEYS).or_else(meant).map(str::to_owned);
            let wrong = Mismatch::new("is no key of a signer".to_owned(), SIGNER);
            let wrong = Mismatch { suggestion, half: Half::Key, code: ProblemCode::UnknownKey, ..wrong };
            mismatches.push(wrong.inside(index, label));
            continue;
        };
        let YamlNode::Text(text) = value else {
            mismatches.push(Mismatch::new(describe(value), "a text").inside(index, label));
            continue;
        };
        if slot.replace((index, text)).is_some() {
            let wrong = Mismatch::new("is there twice".to_owned(), "each key once");
            mismatches
                .push(Mismatch { half: Half::Key, code: ProblemCode::DuplicateKey, ..wrong }.inside(index, label));
        }
    }
    if mismatches.is_empty() { Ok(texts) } else { Err(mismatches) }
}

fn signer(node: &YamlNode, base: Base<'_>) -> Result<Signer, Vec<Mismatch>> {
    let texts = texts(node)?;
    let file = |text: &str| path(text, base);
    let minisign =
        texts.parse("minisign", "the key as `minisign -G` prints it: 56 characters from `RW` on", |text| {
            text.parse::<MinisignKey>().map_err(|_| None)
        })?;
    let key = texts.parse("key", PATH, file)?;
    let log = texts.parse("log", "required", |text| if text == "required" { Ok(()) } else { Err(None) })?;
    let issuer = texts.parse("issuer", "the address of an issuer, as certificates have it", plain)?;
    let identity = texts.parse("identity", "a whole identity, as certificates have it", plain)?;
    let root = texts.parse("trusted_root", PATH, file)?;
    let is_logged = log.is_some();
    let root_or_public = root.clone().map_or(TrustedRoot::Public, TrustedRoot::File);
    match (minisign, key, log, issuer, identity, root) {
        (Some(key), None, None, None, None, None) => Ok(Signer::Minisign(key)),
        (None, Some(file), None, None, None, None) => Ok(Signer::Key { file, log: None }),
        (None, Some(file), Some(()), None, None, _) => Ok(Signer::Key { file, log: Some(root_or_public) }),
        (None, None, None, Some(issuer), Some(identity), _) => {
            Ok(Signer::Keyless { issuer, identity, root: root_or_public })
        }
        _ => {
            let keys = texts.keys();
            let found = match keys.as_slice() {
                [] => "is an empty mapping".to_owned(),
                ["key", "trusted_root"] if !is_logged => {
                    "has `trusted_root`, which nothing asks for without `log: required`".to_owned()
                }
                [alone] => format!("has {alone} alone"),
                keys => format!("has {} together", keys.join(", ")),
            };
            Err(vec![Mismatch::new(found, SIGNER)])
        }
    }
}

/// A text that is shown as it is written, and not longer than certificates have them.
fn plain(text: &str) -> Result<String, Option<&'static str>> {
    let is_plain = SafeText::new(text).as_str() == text && (1..=limits::IDENTITY).contains(&text.len());
    if text.contains('*') {
        return Err(Some("an identity is compared as a whole, and `*` stands for nothing"));
    }
    if is_plain { Ok(text.to_owned()) } else { Err(None) }
}

impl ValueSchema for SignedByForm {
    fn schema(&self) -> Value {
        let text = || json!({"type": "string", "minLength": 1});
        let object = |properties: Value, required: &[&str]| {
            json!({
                "type": "object", "properties": properties, "required": required, "additionalProperties": false,
            })
        };
        let key = json!({"type": "string", "pattern": "^RW[A-Za-z0-9+/]{54}$"});
        let signers = [
            object(json!({"minisign": key}), &["minisign"]),
            object(json!({"key": text()}), &["key"]),
            object(json!({"key": text(), "log": {"enum": ["required"]}, "trusted_root": text()}), &["key", "log"]),
            object(json!({"issuer": text(), "identity": text(), "trusted_root": text()}), &["issuer", "identity"]),
        ];
        let most = limits::SIGNERS;
        let all = json!({"type": "array", "items": {"anyOf": signers}, "minItems": 1, "maxItems": most});
        let demands: Vec<_> = signers.iter().cloned().chain([object(json!({"all_of": all}), &["all_of"])]).collect();
        json!({"type": "array", "items": {"anyOf": demands}, "minItems": 1, "maxItems": most})
    }
}
