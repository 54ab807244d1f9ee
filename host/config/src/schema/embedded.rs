//! Makes a schema that stands alone a part of another: what it refers to in itself is found there, too.
//!
//! By rewriting, and not by an `$id`, which not every editor resolves inside of a document.

use serde_json::Map;
use serde_json::Value;

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The word of the draft, which its parts inherit, and the address of the schema, which nothing outside names.
const OF_THE_ROOT: [&str; 2] = ["$schema", "$id"];
/// Words whose values are schemas by name; the names are not words.
const BY_NAME: [&str; 4] = ["properties", "patternProperties", "$defs", "dependentSchemas"];
/// `$defs` in the drafts before; it is no word of this one, and still what references lead to.
const BY_NAME_BEFORE: &str = "definitions";
/// Words whose values are values of the document, whatever is in them.
const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];
const REFERENCES: [&str; 2] = ["$ref", "$dynamicRef"];
const ANCHORS: [&str; 2] = ["$anchor", "$dynamicAnchor"];

/// A schema can't be a part of another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// It is neither an object nor a truth value.
    #[error("its settings schema is no schema")]
    NoSchema,
    /// It says another draft than 2020-12.
    #[error("its settings schema is not written in draft 2020-12")]
    Draft,
    /// It refers to another document, or to a part with an address of its own. An editor would fetch that.
    #[error("its settings schema refers to what is not in it")]
    LeadsOut,
}

/// Returns a schema as it can stand at `#/$defs/KEY` of another.
pub(super) fn embedded(key: &str, schema: &Value) -> Result<Value, Unusable> {
    match schema {
        Value::Bool(_) => Ok(schema.clone()),
        Value::Object(words) => {
            let draft = words.get("$schema").map_or(Some(DRAFT), Value::as_str);
            if draft.map(|draft| draft.trim_end_matches('#')) != Some(DRAFT) {
                return Err(Unusable::Draft);
            }
            let inside = words.iter().filter(|(word, _)| !OF_THE_ROOT.contains(&word.as_str()));
            let inside: Map<_, _> = inside.map(|(word, rule)| (word.clone(), rule.clone())).collect();
            rewritten(key, &inside).map(Value::Object)
        }
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(Unusable::NoSchema),
    }
}

fn rewritten(key: &str, words: &Map<String, Value>) -> Result<Map<String, Value>, Unusable> {
    if words.contains_key("$id") {
        return Err(Unusable::LeadsOut);
    }
    let rewrite = |(word, rule): (&String, &Value)| {
        let name = word.as_str();
        let rule = if VALUES.contains(&name) {
            rule.clone()
        } else if let (Value::String(target), true) = (rule, REFERENCES.contains(&name)) {
            reference(key, target)?.into()
        } else if let (Value::String(anchor), true) = (rule, ANCHORS.contains(&name)) {
            format!("{key}.{anchor}").into()
        } else if let (Value::Object(schemas), true) = (rule, BY_NAME.contains(&name) || name == BY_NAME_BEFORE) {
            let each = schemas.iter().map(|(name, schema)| Ok((name.clone(), any(key, schema)?)));
            Value::Object(each.collect::<Result<_, Unusable>>()?)
        } else {
            any(key, rule)?
        };
        Ok((word.clone(), rule))
    };
    words.iter().map(rewrite).collect()
}

/// Rewrites a schema, or a list of them; leaves all else as it is.
fn any(key: &str, value: &Value) -> Result<Value, Unusable> {
    match value {
        Value::Object(words) => rewritten(key, words).map(Value::Object),
        Value::Array(items) => items.iter().map(|item| any(key, item)).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(value.clone()),
    }
}

fn reference(key: &str, target: &str) -> Result<String, Unusable> {
    let fragment = target.strip_prefix('#').ok_or(Unusable::LeadsOut)?;
    let is_pointer = fragment.is_empty() || fragment.starts_with('/');
    Ok(if is_pointer { format!("#/$defs/{key}{fragment}") } else { format!("#{key}.{fragment}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_lead_to_the_same_and_values_stay() {
        let schema = json!({
            "$schema": DRAFT, "$id": "https://a.example/b", "type": "object",
            "properties": {"$ref": {"$ref": "#/$defs/a"}, "tree": {"$ref": "#"}, "far": {"$ref": "#far"}},
            "items": [{"$ref": "#/definitions/b"}],
            "$defs": {"a": {"const": {"$ref": "#/x"}, "default": {"$id": "x"}}, "far": {"$anchor": "far"}},
            "definitions": {"b": {"enum": [{"$ref": "elsewhere"}], "examples": [{"$ref": "elsewhere"}]}},
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "$ref": {"$ref": "#/$defs/k/$defs/a"}, "tree": {"$ref": "#/$defs/k"}, "far": {"$ref": "#k.far"},
            },
            "items": [{"$ref": "#/$defs/k/definitions/b"}],
            "$defs": {"a": {"const": {"$ref": "#/x"}, "default": {"$id": "x"}}, "far": {"$anchor": "k.far"}},
            "definitions": {"b": {"enum": [{"$ref": "elsewhere"}], "examples": [{"$ref": "elsewhere"}]}},
        });
        assert_eq!(embedded("k", &schema), Ok(expected));
        assert_eq!(embedded("k", &json!(false)), Ok(json!(false)));
    }

    #[test]
    fn what_leads_out_is_no_part() {
        let cases = [
            (json!([]), Unusable::NoSchema),
            (json!({"$schema": "http://json-schema.org/draft-07/schema#"}), Unusable::Draft),
            (json!({"$schema": 7}), Unusable::Draft),
            (json!({"$ref": "https://evil.example/x"}), Unusable::LeadsOut),
            (json!({"$ref": "other.json#/a"}), Unusable::LeadsOut),
            (json!({"$ref": ""}), Unusable::LeadsOut),
            (json!({"allOf": [{"not": {"$dynamicRef": "file:///etc/passwd"}}]}), Unusable::LeadsOut),
            (json!({"properties": {"const": {"$ref": "x"}}}), Unusable::LeadsOut),
            (json!({"$defs": {"a": {"$id": "https://evil.example/"}}}), Unusable::LeadsOut),
        ];
        for (schema, expected) in cases {
            assert_eq!(embedded("k", &schema), Err(expected), "{schema}");
        }
    }
}
