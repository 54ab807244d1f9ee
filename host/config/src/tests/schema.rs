//! The JSON Schema and the parser agree, and every key is read.

use std::path::Path;

use serde_json::Value;
use serde_json::json;

use super::bad;
use super::good;
use super::read;
use crate::BOUNDS;
use crate::form::Base;
use crate::form::ValueForm as _;
use crate::keys;
use crate::keys::Section;
use crate::schema::schema;
use crate::settings::SettingsForm;
use smcp_bed::Schema;
use smcp_yaml::YamlNode;

/// Returns the document around an entry of a section.
type DocumentAround = fn(&str) -> String;

/// Returns every section, with its schema and the document around one of its entries.
fn sections() -> [(&'static Section, Value, DocumentAround); 6] {
    let root = schema();
    let policy = root["properties"]["policy"].clone();
    let custom = policy["properties"]["custom"]["items"].clone();
    let limits = custom["properties"]["limits"].clone();
    let exceptions = policy["properties"]["exceptions"]["items"].clone();
    let set = policy["properties"]["policy_set"].clone();
    [
        (&keys::ROOT, root, |entry| format!("{{{entry}}}")),
        (&keys::policy::SECTION, policy, |entry| format!("{{policy: {{{entry}}}}}")),
        (&keys::custom::SECTION, custom, |entry| {
            let pin = "0".repeat(64);
            format!(
                "{{policy: {{custom: [{{name: a, source: 'oci://r.example/a', digest: 'sha256:{pin}', {entry}}}]}}}}"
            )
        }),
        (&keys::custom::limits::SECTION, limits, |entry| {
            format!("{{policy: {{custom: [{{name: a, source: a, limits: {{{entry}}}}}]}}}}")
        }),
        (&keys::exceptions::SECTION, exceptions, |entry| format!("{{policy: {{exceptions: [{{{entry}}}]}}}}")),
        (&keys::policy_set::SECTION, set, |entry| format!("{{policy: {{policy_set: {{source: a, {entry}}}}}}}")),
    ]
}

#[test]
fn the_schema_has_the_parsers_keys_and_no_others() {
    for (section, schema, _) in sections() {
        let described: Vec<_> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        let known: Vec<_> = section.keys.iter().map(|key| key.name()).chain(section.foreign.iter().copied()).collect();
        assert_eq!(described, known);
        assert_eq!(schema["additionalProperties"], json!(false));
        for (name, key) in schema["properties"].as_object().unwrap() {
            assert!(
                key["description"].as_str().is_some_and(|text| text.ends_with('.') || text.ends_with("{}.")),
                "{name}"
            );
        }
    }
}

#[test]
fn every_key_is_read() {
    for (section, _, document) in sections() {
        for key in section.keys {
            let text = document(&format!("{}: !tag x", key.name()));
            assert!(bad(&text).iter().any(|problem| problem.contains(&format!("{}`", key.name()))), "{text}");
        }
    }
}

/// The view without the places of values in files.
fn without_places(view: Value) -> Value {
    match view {
        Value::Object(members) => {
            let members = members.into_iter().filter(|(key, _)| key != "at");
            Value::Object(members.map(|(key, value)| (key, without_places(value))).collect())
        }
        Value::Array(items) => items.into_iter().map(without_places).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

#[test]
fn every_default_is_what_absence_means() {
    for (section, schema, document) in sections() {
        for key in section.keys {
            let Some(default) = schema["properties"][key.name()].get("default") else { continue };
            let text = document(&format!("{}: {default}", key.name()));
            let in_force = |text: &str| {
                let view = without_places(serde_json::to_value(good(text).view()).unwrap()).to_string();
                view.replace(r#""source":"file""#, r#""source":"default""#)
                    .replace(r#""source":"cert_mode""#, r#""source":"default""#)
            };
            assert_eq!(in_force(&text), in_force(&document("")), "{text}");
        }
    }
}

#[test]
fn the_schema_judges_as_the_parser_does() {
    let entry = |entry: &str| format!("policy: {{custom: [{{name: a, source: a{entry}}}]}}");
    let waiver =
        |keys: &str| format!("policy: {{exceptions: [{{package: a/b, reason: x, until: 2027-01-31, {keys}}}]}}");
    let texts = [
        "".to_owned(),
        "{}".to_owned(),
        "policy: {}".to_owned(),
        "policy:".to_owned(),
        "policy: {policy_set: {source: rules.tar.gz, refresh: 2h, max_age: 1d, minimum: 12}}".to_owned(),
        "policy: {policy_set: {}}".to_owned(),
        "policy: {policy_set: {source: rules/}}".to_owned(),
        "policy: {policy_set: {source: rules.tar.gz, minimum: 0}}".to_owned(),
        "policy: {policy_set: {source: rules.tar.gz, minimum: '1'}}".to_owned(),
        "policy: {policy_set: {source: rules.tar.gz, version: 1}}".to_owned(),
        "policy: 1".to_owned(),
        "[]".to_owned(),
        "timeout: [1]".to_owned(),
        "min_score: 1".to_owned(),
        "policy: {min_score: 100}".to_owned(),
        "policy: {min_score: 101}".to_owned(),
        "policy: {min_score: '1'}".to_owned(),
        "policy: {min_cert_level: 3}".to_owned(),
        "policy: {min_cert_level: 4}".to_owned(),
        "policy: {min_cert_level: 1.5}".to_owned(),
        "policy: {cert_mode: warn}".to_owned(),
        "policy: {cert_mode: Warn}".to_owned(),
        "policy: {cert_mode: ~}".to_owned(),
        "policy: {timeout: 1}".to_owned(),
        "policy: {allowed_origins: []}".to_owned(),
        "policy: {allowed_origins: [official]}".to_owned(),
        "policy: {allowed_origins: official}".to_owned(),
        "policy: {allowed_origins: ~}".to_owned(),
        "policy: {allowed_origins: [1]}".to_owned(),
        "policy: {exceptions: []}".to_owned(),
        "policy: {custom: []}".to_owned(),
        "policy: {custom: [{name: a}]}".to_owned(),
        "audit: best-effort".to_owned(),
        "audit: never".to_owned(),
        "start_timeout: 5".to_owned(),
        "trusted_registries: [https://r.example]".to_owned(),
        "trusted_registries: [{}]".to_owned(),
        "trusted_registries: [{registry: https://r.example}]".to_owned(),
        "trusted_registries: [{registry: https://r.example, require: true}]".to_owned(),
        "trusted_registries: [{registry: https://r.example, max_age: 1d}]".to_owned(),
        "trusted_registries: [{signed_by: [{key: k}]}]".to_owned(),
        "trusted_registries: [{registry: https://r.example, signed_by: []}]".to_owned(),
        "trusted_registries: [{registry: https://r.example, signed_by: [{key: k}]}, /srv/r]".to_owned(),
        "trusted_registries: [{registry: https://r.example, signed_by: [{key: k}], require: 1}]".to_owned(),
        "trusted_registries: [{registry: /r, signed_by: [{key: k}], require: true, max_age: 1d}]".to_owned(),
        "trusted_registries: [{registry: /r, signed_by: [{key: k}], more: 1}]".to_owned(),
        entry(""),
        entry(", settings: {a: 1}"),
        entry(", settings: 5"),
        entry(", settings: ~"),
        entry(", limits: {}"),
        entry(", limits: ~"),
        entry(", limits: {memories: 64}"),
        entry(", limits: {memories: 65}"),
        entry(", limits: {memories: 0}"),
        entry(", limits: {time: 1}"),
        entry(", limits: {time: 1s, memory: 1MiB}"),
        entry(", limits: {tables: 1}"),
        "policy: {max_policies: 256}".to_owned(),
        "policy: {max_policies: 1025}".to_owned(),
        entry(", on_warn: ask"),
        entry(", signed_by: []"),
        entry(", signed_by: ~"),
        entry(", signed_by: [{}]"),
        entry(", signed_by: [{minisign: KEY}]"),
        entry(", signed_by: [{minisign: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}]"),
        entry(", signed_by: [{minisign: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3, key: k}]"),
        entry(", signed_by: [{key: k}]"),
        entry(", signed_by: [{key: k, log: required}]"),
        entry(", signed_by: [{key: k, log: required, trusted_root: r}]"),
        entry(", signed_by: [{key: k, trusted_root: r}]"),
        entry(", signed_by: [{issuer: i}]"),
        entry(", signed_by: [{issuer: i, identity: a}]"),
        entry(", signed_by: [{all_of: []}]"),
        entry(", signed_by: [{all_of: [{key: k}, {issuer: i, identity: a}]}]"),
        entry(", signed_by: [{all_of: [{key: k}], key: k}]"),
        waiver("policies: [score]"),
        waiver("policies: [score, origin], codes: [x], approved_by: me"),
        waiver("policies: []"),
        waiver("policies: score"),
        waiver("policies: [score], codes: []"),
        waiver("policies: [score], codes: ~"),
        waiver("codes: [x]"),
        waiver("policies: [score], expires: never"),
        waiver("policies: [score], approved_by: [a, b]"),
    ];
    let schema = Schema::new(schema());
    for text in texts {
        assert_eq!(schema.problem(&json_of(&text)).is_none(), read(&text).is_ok(), "{text}");
    }
}

/// Returns the document as an editor sees it: as JSON.
fn json_of(text: &str) -> Value {
    let node = smcp_yaml::parse(text, &BOUNDS).unwrap();
    if node == YamlNode::Null {
        return Value::Null;
    }
    SettingsForm.read(&node, Base { directory: Path::new("/"), home: None }).unwrap()
}
