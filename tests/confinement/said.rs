//! What is said of the confinement, and who may loosen it.

use serde_json::Value;
use serde_json::json;

use crate::bed::Ran;
use crate::world::TOOL;
use crate::world::World;

#[test]
fn required_confinement_refuses_what_can_not_be_confined_in_full() {
    let world = World::new("confinement: required\n");
    for (permissions, gap, remedy) in [
        (Value::Null, "permissions unknown", "with a block of `permissions`"),
        (json!({"filesystem": {"read": ["/srv/*/docs"]}}), "patterns of paths", "with paths of folders"),
    ] {
        world.publish(&permissions);
        for line in ["run", "run --dry-run", "policy check"] {
            let ran = world.bed.run(&format!("{line} {TOOL}"));
            refused(&ran.exits(4), &["servers must be confined in full", gap, remedy]);
        }
        let document = world.bed.run(&format!("policy check --json {TOOL}")).document();
        assert_eq!((&document["refusal"]["code"], &document["policies"]), (&json!("confinement"), &json!([])));
    }
    if world.confines(&json!({})) {
        world.bed.run(&format!("policy check {TOOL}")).succeeds();
    }
}

/// A decision that starts nothing is an answer on standard output.
#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert!(words.iter().all(|word| ran.stdout.contains(word) || ran.stderr.contains(word)), "{words:?}: {ran}");
}

#[test]
fn the_command_line_only_tightens() {
    let world = World::new("");
    world.publish(&Value::Null);
    let run = |how: &str| world.bed.run(&format!("run --dry-run --confinement {how} {TOOL}"));
    run("best-effort").succeeds();
    refused(&run("required").exits(4), &["servers must be confined in full"]);
    run("off").refuses(1, &["`--confinement off` is looser than the configured `best-effort`"]);
    run("strict").refuses(1, &["expected required, best-effort, off"]);
    let world = World::new("confinement: off\n");
    world.publish(&json!({}));
    world.bed.run(&format!("run --dry-run --confinement off {TOOL}")).succeeds();
}

#[test]
fn a_system_layer_counts_with_its_default() {
    let world = World::new("confinement: off\n");
    world.publish(&json!({}));
    world.bed.write("system.yaml", "registry_url: ./registry\n");
    let line = format!("run --dry-run --json {TOOL}");
    let document = world.bed.smcp(&line).env("SMCP_SYSTEM_CONFIG", world.bed.path("system.yaml")).run().document();
    assert_ne!(document["confinement"]["missing"], json!(["off"]), "a user can't switch it off there");
    assert_eq!(world.bed.run(&line).document()["confinement"]["missing"], json!(["off"]));
}

#[test]
fn the_audit_log_has_it() {
    let world = World::new("");
    world.publish(&Value::Null);
    world.start(&["start a thread"]);
    let log = world.bed.read(".mcp/audit.jsonl");
    let decision = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let decision = decision.into_iter().find_map(|record| Some(find(&record, "confinement")?.clone())).unwrap();
    assert!(decision["missing"].as_array().unwrap().contains(&json!("permissions")), "{decision}");
}

/// Finds a key anywhere in a document.
fn find<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => members.get(key).or_else(|| members.values().find_map(|inner| find(inner, key))),
        Value::Array(items) => items.iter().find_map(|inner| find(inner, key)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[test]
fn doctor_says_what_each_permission_would_get() {
    let world = World::new("");
    let ran = world.bed.run("doctor");
    assert!(
        ["no network: ", "hosts: ", "any host: ", "no block of permissions: ", "/usr"]
            .iter()
            .all(|words| ran.stdout.contains(words)),
        "{ran}"
    );
}
