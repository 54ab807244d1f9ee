//! Writes a shape as JSON Schema, draft 2020-12.
//!
//! The schema is on one line, because the size of an answer is limited.

use crate::json::decimal;
use crate::settings::shape::Choice;
use crate::settings::shape::Field;
use crate::settings::shape::Kind;
use crate::settings::shape::Length;
use crate::settings::shape::Shape;

/// The schema of a policy's settings.
pub(super) fn document(shape: &Shape) -> String {
    let mut schema = r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","#.to_owned();
    members(&mut schema, shape);
    schema.push('}');
    schema
}

fn write(schema: &mut String, shape: &Shape) {
    schema.push('{');
    members(schema, shape);
    schema.push('}');
}

fn members(schema: &mut String, shape: &Shape) {
    if !shape.description.is_empty() {
        schema.push_str(r#""description":"#);
        text(schema, shape.description);
        schema.push(',');
    }
    match shape.kind {
        Kind::Bool => kind(schema, "boolean", shape.nullable),
        Kind::Integer { min, max } => {
            kind(schema, "integer", shape.nullable);
            number(schema, ["minimum", ""], min);
            number(schema, ["maximum", ""], max);
        }
        Kind::Text { length } => {
            kind(schema, "string", shape.nullable);
            count(schema, length, "Length");
        }
        Kind::Choice(choices) => one_of(schema, choices, shape.nullable),
        Kind::List { item, length } => {
            kind(schema, "array", shape.nullable);
            count(schema, length, "Items");
            schema.push_str(r#","items":"#);
            write(schema, item);
        }
        Kind::Map { key, value, length } => {
            kind(schema, "object", shape.nullable);
            count(schema, length, "Properties");
            schema.push_str(r#","propertyNames":"#);
            write(schema, key);
            schema.push_str(r#","additionalProperties":"#);
            write(schema, value);
        }
        Kind::Object(fields) => {
            kind(schema, "object", shape.nullable);
            properties(schema, fields);
        }
    }
    if let Some(rule) = shape.rule
        && !rule.keywords.is_empty()
    {
        schema.push(',');
        schema.push_str(rule.keywords);
    }
}

fn kind(schema: &mut String, kind: &str, nullable: bool) {
    let (open, close) = if nullable { (r#""type":[""#, r#"","null"]"#) } else { (r#""type":""#, "\"") };
    [open, kind, close].iter().for_each(|part| schema.push_str(part));
}

fn count(schema: &mut String, Length { min, max }: Length, noun: &str) {
    if min > 0 {
        number(schema, ["min", noun], i64::from(min));
    }
    if max < u32::MAX {
        number(schema, ["max", noun], i64::from(max));
    }
}

fn number(schema: &mut String, [keyword, of]: [&str; 2], number: i64) {
    [",\"", keyword, of, "\":", &decimal(number)].iter().for_each(|part| schema.push_str(part));
}

/// Writes the choices, each with its meaning, for editors that show it.
fn one_of(schema: &mut String, choices: &[Choice], nullable: bool) {
    schema.push_str(r#""oneOf":["#);
    for Choice { name, description } in choices {
        schema.push_str(r#"{"const":"#);
        text(schema, name);
        if !description.is_empty() {
            schema.push_str(r#","description":"#);
            text(schema, description);
        }
        schema.push_str("},");
    }
    if nullable {
        schema.push_str(r#"{"const":null},"#);
    }
    close(schema, ']');
}

fn properties(schema: &mut String, fields: &[Field]) {
    schema.push_str(r#","additionalProperties":false,"properties":{"#);
    for Field { name, shape, default } in fields {
        text(schema, name);
        schema.push_str(":{");
        members(schema, shape);
        if let Some(default) = default {
            schema.push_str(r#","default":"#);
            schema.push_str(default);
        }
        schema.push_str("},");
    }
    close(schema, '}');
    schema.push_str(r#","required":["#);
    for field in fields.iter().filter(|field| field.default.is_none()) {
        text(schema, field.name);
        schema.push(',');
    }
    close(schema, ']');
}

/// Closes a list or an object whose last entry ended with a comma.
fn close(schema: &mut String, end: char) {
    if schema.ends_with(',') {
        schema.pop();
    }
    schema.push(end);
}

/// Writes a JSON string.
fn text(schema: &mut String, text: &str) {
    schema.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                schema.push('\\');
                schema.push(character);
            }
            '\n' => schema.push_str("\\n"),
            // The other characters that JSON forbids; a description needs none of them.
            '\0'..='\u{1f}' => schema.push(' '),
            _ => schema.push(character),
        }
    }
    schema.push('"');
}
