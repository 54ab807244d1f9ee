//! Checks an author's manifest against the table of keys.
//!
//! All problems are reported at once.

use serde_json::Map;
use serde_json::Value;

use crate::manifest::ManifestError;
use crate::manifest::check_command;
use crate::manifest::check_inside;
use crate::manifest::check_text;
use crate::manifest::hub::check_user_variable;
use crate::manifest::hub::check_variable;
use crate::manifest::keys::KEYS;
use crate::manifest::keys::KeyKind;
use crate::manifest::keys::ManifestKey;
use smcp_model::limits;
use smcp_model::name::PackageId;
use smcp_model::package::Version;
use smcp_model::text::SafeText;

/// How similar an unknown key must be to a key of the table to be a misspelling of it; 1 is equal.
const SIMILAR: f64 = 0.8;

/// Keys that the registry writes; publishing has its own messages about them.
const REGISTRY_KEYS: [&str; 3] = ["certification", "bundle", "source"];

/// Keys of the client format, which registries hand out.
const OTHER_FORMAT: [&str; 3] = ["entrypoints", "transport", "permissions_requested"];

/// Checks a manifest against the table.
///
/// # Errors
/// [`ManifestError::Author`] with every problem.
pub fn check(document: &Map<String, Value>) -> Result<(), ManifestError> {
    let mut problems: Vec<SafeText> = KEYS.iter().filter_map(|key| problem(key, document)).collect();
    if let Some(other) = OTHER_FORMAT.iter().find(|key| document.contains_key(**key)) {
        problems.push(SafeText::new(&format!(
            "`{other}` belongs to the format that registries hand out; what is published has `runtime` and `entrypoint`"
        )));
    }
    if problems.is_empty() { Ok(()) } else { Err(ManifestError::Author(problems)) }
}

/// Returns remarks about unknown keys: a permission under a misspelt name would reach no policy.
pub fn unknown(document: &Map<String, Value>) -> Vec<SafeText> {
    let mut remarks = Vec::new();
    collect_unknown("", document, &mut remarks);
    let more = remarks.len().saturating_sub(limits::PUBLISH_LISTED);
    remarks.truncate(limits::PUBLISH_LISTED);
    if more > 0 {
        remarks.push(SafeText::new(&format!("{more} more keys of `manifest.json` mean nothing to smcp")));
    }
    remarks
}

fn collect_unknown(above: &str, object: &Map<String, Value>, remarks: &mut Vec<SafeText>) {
    for (name, value) in object {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match (KEYS.iter().find(|key| key.path == path).map(|key| key.kind), value) {
            (Some(KeyKind::Object), Value::Object(inside)) => collect_unknown(&path, inside, remarks),
            (Some(_), _) => {}
            (None, _) if above.is_empty() && REGISTRY_KEYS.contains(&name.as_str()) => {}
            (None, _) => {
                let meant = nearest(&path).map(|key| format!("; did you mean `{key}`?")).unwrap_or_default();
                let shown = SafeText::within(&path, limits::NAME_SHOWN);
                let remark = format!("`{shown}` in `manifest.json` means nothing to smcp{meant}");
                remarks.push(SafeText::new(&remark));
            }
        }
    }
}

fn nearest(path: &str) -> Option<&'static str> {
    let alike = KEYS.iter().map(|key| (strsim::jaro_winkler(key.path, path), key.path));
    alike
        .filter(|(alike, _)| *alike >= SIMILAR)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, path)| path)
}

/// Returns the problem with one key. A key missing from an object that is itself missing is not a problem.
fn problem(key: &ManifestKey, document: &Map<String, Value>) -> Option<SafeText> {
    let (above, name) = key.path.rsplit_once('.').unwrap_or(("", key.path));
    let around = find(document, above)?;
    let text = match around.get(name) {
        None | Some(Value::Null) if key.required => {
            format!("`{}` is missing, for example {}", key.path, key.example)
        }
        None | Some(Value::Null) => return None,
        Some(value) => mismatch(key, value)?,
    };
    Some(SafeText::new(&text))
}

fn find<'d>(document: &'d Map<String, Value>, path: &str) -> Option<&'d Map<String, Value>> {
    path.split('.').filter(|name| !name.is_empty()).try_fold(document, |object, name| object.get(name)?.as_object())
}

/// Returns why a value does not fit; `None` when it does.
fn mismatch(key: &ManifestKey, value: &Value) -> Option<String> {
    let path = key.path;
    let not = |allowed: &str| {
        Some(format!("`{path}` is {}; it must be {allowed}, for example {}", shown(value), key.example))
    };
    let all = |allowed: &str, check: &dyn Fn(&str) -> Result<(), ManifestError>| match texts(value) {
        None => not(allowed),
        Some(texts) => texts.iter().find_map(|text| check(text).err()).map(|error| error.to_string()),
    };
    match (key.kind, value) {
        (KeyKind::Object, Value::Object(_)) | (KeyKind::Text, Value::String(_)) | (KeyKind::Flag, Value::Bool(_)) => {
            None
        }
        (KeyKind::Object, _) => not("an object"),
        (KeyKind::Text, _) => not("a text"),
        (KeyKind::Flag, _) => not("`true` or `false`"),
        (KeyKind::Count, value) => {
            if value.is_u64() {
                None
            } else {
                not("a whole number")
            }
        }
        (KeyKind::Number, Value::Number(_)) => None,
        (KeyKind::Number, Value::String(text)) if is_number(text) => None,
        (KeyKind::Number, _) => not("a number, or one as text"),
        (KeyKind::Word(words), Value::String(word)) if words.contains(&word.as_str()) => None,
        (KeyKind::Word(words), _) => not(&format!("one of {}", words.join(", "))),
        (KeyKind::Id, Value::String(id)) => id.parse::<PackageId>().err().map(|error| format!("`{path}`: {error}")),
        (KeyKind::Id, _) => not("ORG/NAME"),
        (KeyKind::Version, Value::String(text)) if text.parse::<Version>().is_ok() => None,
        (KeyKind::Version, _) => not("1 to 128 characters of A-Z, a-z, 0-9, `.`, `+`, `_` and `-`, and not `latest`"),
        (KeyKind::Texts, _) => all("a list of texts", &|_| Ok(())),
        (KeyKind::Arguments, _) => all("a list of texts", &|text| check_text(path, text)),
        (KeyKind::Started, Value::Array(words)) if !words.is_empty() => {
            let first = words.first().and_then(Value::as_str).and_then(|word| check_command(path, word).err());
            first.map(|error| error.to_string()).or_else(|| all("a list of texts", &|text| check_text(path, text)))
        }
        (KeyKind::Started, _) => not("a list of texts that begins with what to start"),
        (KeyKind::Variables, Value::Object(variables)) => {
            variables.iter().find_map(|(name, value)| variable(path, name, value))
        }
        (KeyKind::Variables, _) => not("an object of texts"),
        (KeyKind::Inside, Value::String(inside)) => check_inside(path, inside).err().map(|error| error.to_string()),
        (KeyKind::Inside, _) => not("a path inside the bundle"),
        (KeyKind::UserVariables, Value::Object(variables)) => {
            variables.iter().find_map(|(name, about)| user_variable(path, name, about))
        }
        (KeyKind::UserVariables, _) => not("an object, by the names of variables"),
    }
}

fn texts(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Value::as_str).collect()
}

fn is_number(text: &str) -> bool {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    [whole, part].iter().all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn variable(path: &str, name: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => check_variable(name, text).err().map(|error| error.to_string()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(format!(
            "`{path}.{}` is {}; it must be a text, such as {}",
            SafeText::within(name, limits::NAME_SHOWN),
            shown(value),
            Value::String(SafeText::quoted_value(&value.to_string()).to_string())
        )),
    }
}

/// What is known of a variable that the user sets, with what each key holds.
pub(super) const ABOUT_VARIABLE: [(&str, &str, &str); 5] = [
    ("about", "string", "What it is for."),
    ("required", "boolean", "Whether the server can't start without it."),
    ("default", "string", "Its value when nobody sets it."),
    (
        "list",
        "boolean",
        "Whether its value is a list in JSON: an argument `${NAME}` becomes as many as there are in it.",
    ),
    ("secret", "boolean", "Whether it is a password or a token."),
];

fn user_variable(path: &str, name: &str, about: &Value) -> Option<String> {
    let shown_name = SafeText::within(name, limits::NAME_SHOWN);
    if let Err(error) = check_user_variable(name) {
        return Some(error.to_string());
    }
    let Value::Object(about) = about else {
        return Some(format!("`{path}.{shown_name}` is {}; it must be an object, such as {{}}", shown(about)));
    };
    about.iter().find_map(|(key, value)| {
        let place = format!("{path}.{shown_name}.{}", SafeText::within(key, limits::NAME_SHOWN));
        match (ABOUT_VARIABLE.iter().find(|(known, _, _)| known == key).map(|(_, kind, _)| *kind), value) {
            (Some("string"), Value::String(_)) | (Some("boolean"), Value::Bool(_)) | (Some(_), Value::Null) => None,
            (Some("string"), value) => Some(format!("`{place}` is {}; it must be a text", shown(value))),
            (Some(_), value) => Some(format!("`{place}` is {}; it must be `true` or `false`", shown(value))),
            (None, _) => {
                let known = ABOUT_VARIABLE.map(|(known, _, _)| known).join(", ");
                Some(format!("`{place}` is none of {known}"))
            }
        }
    })
}

/// Describes a value for a message.
fn shown(value: &Value) -> String {
    let text = SafeText::quoted_value(&value.to_string());
    match value {
        Value::Null | Value::Bool(_) => format!("`{text}`"),
        Value::Number(_) => format!("the number `{text}`"),
        Value::String(_) => format!("the text `{text}`"),
        Value::Array(_) => format!("the list `{text}`"),
        Value::Object(_) => format!("the object `{text}`"),
    }
}

#[cfg(test)]
mod tests;
