//! Puts what the user has set into arguments and variables: `${NAME}`.
//!
//! Only names that the manifest declares under `variables` mean something; any other text stays as it is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

use smcp_model::manifest::UserVariable;

/// The values of the variables that a manifest declares. They may be secrets: there is no `Debug`.
#[derive(Clone, Default)]
pub(crate) struct VariableValues {
    declared: BTreeMap<String, DeclaredValue>,
}

#[derive(Clone)]
struct DeclaredValue {
    value: Option<OsString>,
    is_list: bool,
    is_required: bool,
    about: Option<String>,
}

/// A part of a text.
enum TextPiece<'t> {
    Text(&'t str),
    Value(&'t DeclaredValue),
}

impl VariableValues {
    /// The values that `find` knows, or the manifest's own where nobody has set one. An empty one is none.
    pub(crate) fn of(variables: &BTreeMap<String, UserVariable>, find: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| find(name).filter(|value| !value.is_empty());
        let mut values = Self::default();
        for (name, UserVariable { about, required, default: _, list }) in variables {
            let declared =
                DeclaredValue { value: set(name), is_list: *list, is_required: *required, about: about.clone() };
            values.declared.insert(name.clone(), declared);
        }
        // A default may have places in it that begin with HOME.
        let defaults = variables.iter().filter_map(|(name, variable)| {
            let default = variable.default.as_deref()?;
            values.declared.get(name)?.value.is_none().then(|| Some((name.clone(), values.whole(default)?)))?
        });
        let defaults: Vec<(String, OsString)> = defaults.collect();
        for (name, default) in defaults {
            if let Some(declared) = values.declared.get_mut(&name) {
                declared.value = Some(default);
            }
        }
        values
    }

    /// What an argument of the manifest becomes: a list becomes several, and nothing becomes of one that is only a value
    /// that nobody has set.
    pub(crate) fn arguments(&self, text: &str) -> Vec<OsString> {
        match self.pieces(text).as_slice() {
            [TextPiece::Value(DeclaredValue { value: None, .. })] => Vec::new(),
            [TextPiece::Value(DeclaredValue { value: Some(value), is_list: true, .. })] => items(value),
            _ => self.whole(text).into_iter().collect(),
        }
    }

    /// What the value of a variable of the manifest becomes; `None` for one that is only a value that nobody has set.
    pub(crate) fn whole(&self, text: &str) -> Option<OsString> {
        let pieces = self.pieces(text);
        if let [TextPiece::Value(DeclaredValue { value, .. })] = pieces.as_slice() {
            return value.clone();
        }
        let mut whole = OsString::new();
        for piece in pieces {
            match piece {
                TextPiece::Text(text) => whole.push(text),
                TextPiece::Value(DeclaredValue { value, .. }) => whole.push(value.as_deref().unwrap_or(OsStr::new(""))),
            }
        }
        Some(whole)
    }

    /// The values, by name, as far as there are some.
    pub(crate) fn set(&self) -> impl Iterator<Item = (&str, &OsStr)> {
        self.declared.iter().filter_map(|(name, declared)| Some((name.as_str(), declared.value.as_deref()?)))
    }

    /// The variables without which the server can't start and that nobody has set, with what they are for.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let missing = self.declared.iter().filter(|(_, declared)| declared.is_required && declared.value.is_none());
        missing.map(|(name, declared)| (name.as_str(), declared.about.as_deref()))
    }

    fn pieces<'t>(&'t self, text: &'t str) -> Vec<TextPiece<'t>> {
        let mut pieces = Vec::new();
        let (mut rest, mut seen) = (text, 0);
        while let Some(at) = rest.get(seen..).and_then(|unseen| unseen.find("${")).map(|at| at.saturating_add(seen)) {
            let inside = rest.get(at.saturating_add(2)..).unwrap_or_default();
            let named = inside.split_once('}').and_then(|(name, after)| Some((self.declared.get(name)?, after)));
            let Some((value, after)) = named else {
                seen = at.saturating_add(2);
                continue;
            };
            pieces.extend(rest.get(..at).filter(|text| !text.is_empty()).map(TextPiece::Text));
            pieces.push(TextPiece::Value(value));
            (rest, seen) = (after, 0);
        }
        if !rest.is_empty() || pieces.is_empty() {
            pieces.push(TextPiece::Text(rest));
        }
        pieces
    }
}

/// The items of a value: those of a list of texts in JSON, or the one that it is.
fn items(value: &OsStr) -> Vec<OsString> {
    match serde_json::from_slice::<Vec<String>>(value.as_bytes()) {
        Ok(items) => items.into_iter().map(OsString::from).collect(),
        Err(_) => vec![value.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> VariableValues {
        let variable = |required, default: Option<&str>, list| UserVariable {
            required,
            default: default.map(str::to_owned),
            list,
            about: Some("what for".to_owned()),
        };
        let declared = [
            ("HOME", variable(false, None, false)),
            ("TOKEN", variable(true, None, false)),
            ("LOST", variable(true, None, false)),
            ("EMPTY", variable(false, None, false)),
            ("PLACE", variable(false, Some("${HOME}/Documents"), false)),
            ("FOLDERS", variable(false, None, true)),
            ("ONE", variable(false, None, true)),
        ];
        let declared = declared.map(|(name, variable)| (name.to_owned(), variable)).into();
        let set = [
            ("HOME", "/home/me"),
            ("TOKEN", "${HOME}"),
            ("EMPTY", ""),
            ("FOLDERS", r#"["/a b","/c"]"#),
            ("ONE", "/only"),
            ("OTHER", "x"),
        ];
        VariableValues::of(&declared, |name| {
            set.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        })
    }

    #[test]
    fn placeholders_of_declared_variables_become_their_values() {
        for (text, expected) in [
            ("plain", &["plain"][..]),
            ("", &[""]),
            ("--token=${TOKEN}", &["--token=${HOME}"]),
            ("${TOKEN}", &["${HOME}"]),
            ("${HOME}/x:${PLACE}", &["/home/me/x:/home/me/Documents"]),
            ("${FOLDERS}", &["/a b", "/c"]),
            ("${ONE}", &["/only"]),
            ("x${FOLDERS}", &[r#"x["/a b","/c"]"#]),
            ("${LOST}", &[]),
            ("${EMPTY}", &[]),
            ("--x=${EMPTY}", &["--x="]),
            ("${OTHER} $TOKEN ${", &["${OTHER} $TOKEN ${"]),
            ("${${TOKEN}}", &["${${HOME}}"]),
        ] {
            assert_eq!(values().arguments(text), expected, "{text}");
        }
        assert_eq!(values().whole("${LOST}"), None);
        assert_eq!(VariableValues::default().arguments("${TOKEN}"), ["${TOKEN}"], "nothing is declared");
    }

    #[test]
    fn what_is_needed_and_not_set_is_missing() {
        assert_eq!(values().missing().collect::<Vec<_>>(), [("LOST", Some("what for"))]);
        let set: Vec<_> = values().set().map(|(name, _)| name.to_owned()).collect();
        assert_eq!(set, ["FOLDERS", "HOME", "ONE", "PLACE", "TOKEN"]);
    }
}
