//! A validator for the part of JSON Schema that our schemas use.
//!
//! It is written from the standard, and knows nothing of shapes.

use serde_json::Value;

/// Whether a value is valid.
///
/// # Panics
/// On a keyword that it doesn't know: what it can't judge must not pass unseen.
pub(super) fn is_valid(schema: &Value, value: &Value) -> bool {
    schema.as_object().unwrap().iter().all(|(keyword, rule)| holds(keyword, rule, schema, value))
}

fn holds(keyword: &str, rule: &Value, schema: &Value, value: &Value) -> bool {
    let compare = |count: Option<usize>| count.map(|count| count as u64);
    let at_least = |count: Option<usize>| compare(count).is_none_or(|count| count >= rule.as_u64().unwrap());
    let at_most = |count: Option<usize>| compare(count).is_none_or(|count| count <= rule.as_u64().unwrap());
    let characters = value.as_str().map(|text| text.chars().count());
    let (items, keys) = (value.as_array().map(Vec::len), value.as_object().map(serde_json::Map::len));
    let number = value.is_number().then(|| whole(value));
    match keyword {
        "$schema" | "description" | "default" => true,
        "type" => {
            rule.as_array().map_or_else(|| is_of(rule, value), |kinds| kinds.iter().any(|kind| is_of(kind, value)))
        }
        "const" => value == rule,
        "oneOf" => rule.as_array().unwrap().iter().filter(|one| is_valid(one, value)).count() == 1,
        "not" => !is_valid(rule, value),
        "minimum" => number.is_none_or(|number| number >= whole(rule)),
        "maximum" => number.is_none_or(|number| number <= whole(rule)),
        "minLength" => at_least(characters),
        "maxLength" => at_most(characters),
        "minItems" => at_least(items),
        "maxItems" => at_most(items),
        "minProperties" => at_least(keys),
        "maxProperties" => at_most(keys),
        "multipleOf" => number.is_none_or(|number| number % whole(rule) == 0),
        "pattern" => {
            value.as_str().is_none_or(|text| regex::Regex::new(rule.as_str().unwrap()).unwrap().is_match(text))
        }
        "items" => value.as_array().is_none_or(|items| items.iter().all(|item| is_valid(rule, item))),
        "required" => value
            .as_object()
            .is_none_or(|object| rule.as_array().unwrap().iter().all(|key| object.contains_key(key.as_str().unwrap()))),
        "propertyNames" => {
            value.as_object().is_none_or(|object| object.keys().all(|key| is_valid(rule, &Value::from(key.as_str()))))
        }
        "properties" => value.as_object().is_none_or(|object| {
            object.iter().all(|(key, value)| rule.get(key).is_none_or(|property| is_valid(property, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let others =
                object.iter().filter(|(key, _)| schema.get("properties").is_none_or(|known| known.get(key).is_none()));
            others.into_iter().all(|(_, value)| rule.as_bool().unwrap_or_else(|| is_valid(rule, value)))
        }),
        other => panic!("the validator doesn't know `{other}`"),
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        // The inputs have no numbers with fractions.
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the validator doesn't know the type `{other}`"),
    }
}

fn whole(number: &Value) -> i128 {
    number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from)).unwrap()
}
