//! JSON merge patch: one document laid over another (RFC 7396).

use serde_json::Map;
use serde_json::Value;

/// Lays `patch` over `target`: objects are merged member by member, `null` removes a member, other values replace.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        merge_members(target, patch);
    }
}

/// Does the same for the members of two objects.
pub(crate) fn merge_members(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (key, value) in patch {
        if value.is_null() {
            // Not `remove`, which would put the last member in its place.
            target.shift_remove(key);
        } else {
            merge(target.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn merged(target: &Value, patch: &Value) -> Value {
        let mut target = target.clone();
        merge(&mut target, patch);
        target
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn the_examples_of_the_rfc_hold() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ];
        for (target, patch, result) in cases {
            assert_eq!(merged(&target, &patch), result, "{target} with {patch}");
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..3).prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Whether a `null` is a member of an object that is in no list.
    fn has_null(document: &Value) -> bool {
        document.as_object().is_some_and(|members| members.values().any(|value| value.is_null() || has_null(value)))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_patch_twice_is_a_patch_once(target in documents(), patch in documents()) {
            let once = merged(&target, &patch);
            prop_assert_eq!(merged(&once, &patch), once);
        }

        #[test]
        fn every_member_of_a_patch_is_in_force(target in documents(), patch in documents()) {
            let result = merged(&target, &patch);
            if let Value::Object(members) = &patch {
                for (key, value) in members.iter().filter(|(_, value)| !value.is_object()) {
                    prop_assert_eq!(result.get(key), (!value.is_null()).then_some(value));
                }
                for (key, value) in target.as_object().into_iter().flatten() {
                    if !members.contains_key(key) {
                        prop_assert_eq!(result.get(key), Some(value));
                    }
                }
            } else {
                prop_assert_eq!(result, patch);
            }
        }

        #[test]
        fn what_a_patch_makes_of_nothing_has_no_null(patch in documents()) {
            let (nothing, same) = (json!({}), merged(&patch, &json!({})));
            let made = merged(&nothing, &patch);
            prop_assert!(!has_null(&made), "{}", made);
            prop_assert_eq!(&same, if patch.is_object() { &patch } else { &nothing });
        }
    }
}
