//! Checks a document against a shape.
//!
//! It reports every problem, and gives absent keys their defaults.

use std::borrow::Cow;

use crate::json::Json;
use crate::json::JsonErrorKind;
use crate::json::decimal;
use crate::settings::SettingsProblem;
use crate::settings::message;
use crate::settings::shape::Field;
use crate::settings::shape::Kind;
use crate::settings::shape::Length;
use crate::settings::shape::Shape;
use crate::text::joined;

/// Reads and checks the settings of a policy. When there is no problem, all of them can be read into the type.
pub(super) fn document<'a>(text: &'a str, shape: &Shape) -> Result<Json<'a>, Vec<SettingsProblem>> {
    let mut check = ShapeCheck { pointer: String::new(), problems: Vec::new() };
    match Json::parse(text) {
        Ok(mut json) => {
            check.value(&mut json, shape, TEXT);
            if check.problems.is_empty() { Ok(json) } else { Err(check.problems) }
        }
        Err(error) if error.kind == JsonErrorKind::Syntax => {
            check.problem(message::found(
                &joined(&["text that is not JSON (", &error.message(), ")"]),
                "a JSON document",
            ));
            Err(check.problems)
        }
        Err(error) => {
            check.problem(error.message());
            Err(check.problems)
        }
    }
}

/// Finds the defaults, at every depth, that break the rules of their own keys. Checking empty settings would find only
/// those at the top.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn defaults(shape: &Shape) -> Vec<SettingsProblem> {
    let below = |shape: &'static Shape, segment: &str| {
        let under =
            |problem: SettingsProblem| SettingsProblem { path: format!("/{segment}{}", problem.path), ..problem };
        defaults(shape).into_iter().map(under).collect::<Vec<_>>()
    };
    match shape.kind {
        Kind::Object(fields) => fields
            .iter()
            .flat_map(|field| {
                let own = field.default.map_or(Ok(()), |default| document(default, &field.shape).map(|_| ()));
                let under = |problem: SettingsProblem| SettingsProblem {
                    path: format!("/{}{}", field.name, problem.path),
                    ..problem
                };
                own.err().unwrap_or_default().into_iter().map(under).chain(below(&field.shape, field.name))
            })
            .collect(),
        Kind::List { item, .. } => below(item, "0"),
        Kind::Map { value, .. } => below(value, "*"),
        Kind::Bool | Kind::Integer { .. } | Kind::Text { .. } | Kind::Choice(_) => Vec::new(),
    }
}

/// The words for a text, and for the key of a map, in a message.
const TEXT: &str = "the text";
const KEY: &str = "the key";

struct ShapeCheck {
    /// The place of the current value, as a JSON pointer (RFC 6901).
    pointer: String,
    problems: Vec<SettingsProblem>,
}

impl ShapeCheck {
    fn problem(&mut self, message: String) {
        self.problems.push(SettingsProblem { path: self.pointer.clone(), message });
    }

    fn refuse(&mut self, json: &Json<'_>, noun: &str, allowed: &str) {
        self.problem(message::found(&message::value(json, noun), allowed));
    }

    /// Goes one step down; returns what `leave` needs to come back.
    fn enter(&mut self, segment: &str) -> usize {
        let length = self.pointer.len();
        self.pointer.push('/');
        for character in segment.chars() {
            match character {
                '~' => self.pointer.push_str("~0"),
                '/' => self.pointer.push_str("~1"),
                other => self.pointer.push(other),
            }
        }
        length
    }

    fn leave(&mut self, length: usize) {
        self.pointer.truncate(length);
    }

    fn value(&mut self, json: &mut Json<'_>, shape: &Shape, noun: &str) {
        if shape.nullable && *json == Json::Null {
            return;
        }
        let before = self.problems.len();
        match (shape.kind, &mut *json) {
            (Kind::Bool, Json::Bool(_)) => {}
            (Kind::Integer { min, max }, Json::Number(number)) => self.integer(number, min, max),
            (Kind::Text { length }, Json::Text(text)) => {
                self.length(length, message::characters(text), "a text of length");
            }
            (Kind::Choice(_), Json::Text(text)) if shape.position(text).is_some() => {}
            (Kind::Choice(_), Json::Text(text)) => {
                self.problem(message::found(&message::quote(text), &message::kind(&shape.kind)));
            }
            (Kind::List { item, length }, Json::List(items)) => self.list(item, length, items),
            (Kind::Map { key, value, length }, Json::Object(entries)) => self.map([key, value], length, entries),
            (Kind::Object(fields), Json::Object(entries)) => self.object(fields, entries),
            _ => self.refuse(json, noun, &message::kind(&shape.kind)),
        }
        if let Some(rule) = shape.rule
            && self.problems.len() == before
            && let Err(allowed) = (rule.check)(json)
        {
            self.refuse(json, noun, &allowed);
        }
    }

    fn list(&mut self, item: &Shape, length: Length, entries: &mut [Json<'_>]) {
        self.length(length, entries.len(), "a list of length");
        for (index, entry) in (0..).zip(entries) {
            let above = self.enter(&decimal(index));
            self.value(entry, item, TEXT);
            self.leave(above);
        }
    }

    fn map(&mut self, [key, value]: [&Shape; 2], length: Length, entries: &mut [(Cow<'_, str>, Json<'_>)]) {
        self.length(length, entries.len(), "an object of length");
        for (name, entry) in entries {
            let above = self.enter(name);
            self.value(&mut Json::Text(Cow::Borrowed(name)), key, KEY);
            self.value(entry, value, TEXT);
            self.leave(above);
        }
    }

    fn integer(&mut self, number: &str, min: i64, max: i64) {
        let json = Json::Number(number);
        if json.as_integer().is_some_and(|integer| integer >= min && integer <= max) {
            return;
        }
        let allowed = message::kind(&Kind::Integer { min, max });
        self.refuse(&json, TEXT, &if message::is_whole(number) { message::range(&allowed, min, max) } else { allowed });
    }

    fn length(&mut self, Length { min, max }: Length, count: usize, of: &str) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let max = if max == u32::MAX { i64::MAX } else { i64::from(max) };
        if count < min.into() || count > max {
            self.problem(message::found(&message::range(of, count, count), &message::range(of, min.into(), max)));
        }
    }

    fn object<'a>(&mut self, fields: &[Field], entries: &mut Vec<(Cow<'a, str>, Json<'a>)>) {
        for (name, entry) in &mut *entries {
            let above = self.enter(name);
            match fields.iter().find(|field| field.name == *name) {
                Some(field) => self.value(entry, &field.shape, TEXT),
                None => self.problem(message::found("an unknown key", &message::keys(fields))),
            }
            self.leave(above);
        }
        for field in fields {
            if entries.iter().any(|(name, _)| name == field.name) {
                continue;
            }
            let Some(default) = field.default else {
                self.problem(joined(&["the key `", field.name, "` is missing"]));
                continue;
            };
            // A default is checked like a value of the document: a wrong one is a problem at its key.
            let mut default = Json::parse(default).unwrap_or(Json::Text(Cow::Borrowed(default)));
            let above = self.enter(field.name);
            self.value(&mut default, &field.shape, TEXT);
            self.leave(above);
            entries.push((Cow::Borrowed(field.name), default));
        }
    }
}
