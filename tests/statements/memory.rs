//! What was seen: older statements, hidden ones, a lost memory, a day without the registry.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::world::DAY;
use crate::world::Said;
use crate::world::TOOL;
use crate::world::World;
use crate::world::now;
use smcp_signature::secret_key::SecretKey;

const SEEN: &str = ".mcp/seen.json";

fn seen(world: &World) -> Value {
    serde_json::from_str(&world.bed.read(SEEN)).unwrap()
}

#[test]
fn an_older_statement_than_was_seen_is_a_rollback() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
    assert_eq!(world.refuses(4), "status");
    assert_eq!(seen(&world)["packages"][0]["sequence"], 8, "a revocation is remembered, too");
    // The registry shows its older state, in which the version was good.
    world.hide();
    world.say(&Said::good());
    assert_eq!(world.refuses(3), "statement-rollback");
    // Another statement with the number that was seen.
    world.say(&Said { sequence: 8, ..Said::good() });
    assert_eq!(world.refuses(3), "statement-ambiguous");
    world.say(&Said { sequence: 9, ..Said::good() });
    world.starts();
}

#[test]
fn what_was_seen_and_is_hidden_is_missed() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.check().succeeds();
    world.hide();
    assert_eq!(world.refuses(4), "status-unsigned");
    let document = world.check().exits(4).document();
    assert!(document["refusal"]["message"].as_str().unwrap().contains("number 7 was seen before"), "{document}");
    world.believe(", require: true", "min_score: 50");
    assert_eq!(world.refuses(3), "statement-missing");
}

#[test]
fn a_lost_memory_is_said_once() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said { sequence: 8, ..Said::good() });
    let codes = |document: &Value| {
        document["notices"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["code"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert!(codes(&world.check().succeeds().document()).is_empty());
    for damage in
        [|world: &World| fs::remove_file(world.bed.path(SEEN)).unwrap(), |world: &World| world.bed.write(SEEN, "{")]
    {
        damage(&world);
        assert_eq!(codes(&world.check().succeeds().document()), ["statement-memory-lost"]);
        assert!(codes(&world.check().succeeds().document()).is_empty());
    }
    assert_eq!(seen(&world)["packages"][0]["sequence"], 8);
    // Without it an older one is taken once, as long as it is valid.
    world.hide();
    world.say(&Said::good());
    assert_eq!(world.refuses(3), "statement-rollback");
    fs::remove_file(world.bed.path(SEEN)).unwrap();
    world.starts();
}

/// A revocation that came and does not hold any more is remembered as one that does, whatever the entry demands.
#[test]
fn what_does_not_hold_is_remembered_where_a_statement_is_required() {
    let world = World::new();
    world.believe(", require: true", "min_score: 50");
    world.say(&Said { status: Some("revoked"), sequence: 8, issued: -20, validity: 10, ..Said::good() });
    assert_eq!(world.refuses(3), "statement-missing");
    world.hide();
    world.say(&Said::good());
    assert_eq!(world.refuses(3), "statement-rollback");
}

#[test]
fn a_revocation_that_came_holds_without_the_registry_and_the_memory() {
    let world = World::new();
    world.believe("", "min_score: 80");
    world.say(&Said::good());
    world.check().succeeds();
    world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
    assert_eq!(world.refuses(4), "status");
    fs::rename(world.bed.path("registry"), world.bed.path("away")).unwrap();
    assert_eq!(world.refuses(4), "status");
    fs::remove_file(world.bed.path(SEEN)).unwrap();
    assert_eq!(world.refuses(4), "status");
}

#[test]
fn nothing_is_written_when_nothing_is_new() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.check().succeeds();
    let written = |world: &World| fs::metadata(world.bed.path(SEEN)).unwrap().modified().unwrap();
    let first = written(&world);
    world.starts();
    assert_eq!(written(&world), first);
    // And without a layer that goes by statements there is no memory at all.
    let other = World::new();
    other.say(&Said::good());
    other.check().succeeds();
    assert!(!other.bed.has(SEEN));
}

/// A number outlives neither the belief in its signer nor his key.
#[test]
fn the_largest_number_of_a_key_ends_with_the_belief_in_it() {
    let (world, second) = (World::new(), SecretKey::generate().unwrap());
    let (first_key, second_key) = (world.key.public(), second.public());
    world.believe_by(&format!("[{{minisign: {first_key}}}, {{minisign: {second_key}}}]"), "", "min_score: 50");
    let good = Said::good().about(&world.target());
    world.sign_by(&second, &good);
    world.say(&Said { status: Some("revoked"), sequence: 9_007_199_254_740_991, ..Said::good() });
    assert_eq!(world.refuses(4), "status");
    world.hide();
    world.sign_by(&second, &good);
    // As long as he is believed, it is a rollback.
    assert_eq!(world.refuses(3), "statement-rollback");
    world.believe_by(&format!("[{{minisign: {second_key}}}]"), "", "min_score: 50");
    world.starts();
    assert_eq!(seen(&world)["packages"][0]["sequence"], 7);
    assert_eq!(seen(&world)["packages"][0]["signers"], json!([format!("minisign {second_key}")]));
    // What the other has signed is compared from here on.
    world.hide();
    world.sign_by(&second, &Said { sequence: 6, ..Said::good() }.about(&world.target()));
    assert_eq!(world.check().exits(3).document()["refusal"]["code"], "statement-rollback");
}

#[test]
fn an_entry_of_an_older_version_is_compared_whoever_is_believed() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.check().succeeds();
    let mut document = seen(&world);
    document["packages"][0].as_object_mut().unwrap().remove("signers");
    document["packages"][0]["sequence"] = 8.into();
    world.bed.write(SEEN, document.to_string());
    assert_eq!(world.refuses(3), "statement-rollback");
}

/// Writes when smcp was used last, in seconds from now.
fn used(world: &World, seconds: i64) -> String {
    let mut document = seen(world);
    let at = smcp_model::time::utc_of(now().checked_add_signed(seconds).unwrap()).unwrap();
    document["time"] = at.clone().into();
    world.bed.write(SEEN, document.to_string());
    at
}

#[test]
fn a_clock_that_was_wrong_once_is_said() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.check().succeeds();
    let behind = |document: &Value| {
        let mut notices = document["notices"].as_array().unwrap().iter();
        let notice = notices.find(|notice| notice["code"] == "clock-behind").unwrap_or_else(|| panic!("{document}"));
        assert!(notice["message"].as_str().unwrap().contains("remove ~/.mcp/seen.json"), "{notice}");
    };
    let day = i64::try_from(DAY).unwrap();
    used(&world, day);
    behind(&world.check().succeeds().document());
    let info = || world.bed.run(&format!("--json info {TOOL}")).succeeds().document();
    behind(&info());
    assert_eq!(info()["statements"][0]["score"], 85);
    used(&world, 100 * day);
    assert_eq!(world.refuses(4), "status-unsigned");
    let document = world.check().exits(4).document();
    behind(&document);
    assert!(info()["statements"][0]["problem"].as_str().unwrap().contains("which counts as now"), "{}", info());
    world.believe(", require: true", "min_score: 50");
    let message = world.check().exits(3).document()["refusal"]["message"].clone();
    assert!(message.as_str().unwrap().contains("remove ~/.mcp/seen.json"), "{message}");
}

#[test]
fn starts_note_the_time_at_most_hourly() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.check().succeeds();
    let minute = |minutes: i64| -minutes * 60;
    let before = used(&world, minute(50));
    world.check().succeeds();
    assert_eq!(seen(&world)["time"], before.as_str());
    let before = used(&world, minute(70));
    world.check().succeeds();
    assert!(seen(&world)["time"].as_str().unwrap() > before.as_str(), "{}", seen(&world));
}

#[test]
fn the_memory_is_kept_beside_that_of_policy_sets_and_of_later_versions() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    let before = r#"{"schema": "smcp.seen/1", "time": "2026-01-01T00:00:00Z", "sets": [], "later": {"a": 1}}"#;
    world.bed.write(SEEN, before);
    world.check().succeeds();
    let document = seen(&world);
    assert_eq!((&document["later"]["a"], &document["packages"][0]["package"]), (&1.into(), &TOOL.into()));
}

#[test]
fn on_a_day_without_the_registry_the_statements_of_the_last_day_hold() {
    let world = World::new();
    world.believe("", "min_score: 80");
    world.say(&Said::good());
    let stated = world.starts();
    fs::rename(world.bed.path("registry"), world.bed.path("away")).unwrap();
    let document = world.check().succeeds().document();
    assert_eq!(document["statements"], stated, "they were verified again");
    assert_eq!(document["notices"][0]["code"], "facts-from-cache");
    // What is changed in the cache does not verify.
    let folder = format!(".mcp/cache/resolutions/{}", world.bed.list(".mcp/cache/resolutions")[0]);
    let file = format!("{folder}/{}", world.bed.list(&folder)[0]);
    let kept = world.bed.read(&file);
    world.bed.write(&file, kept.replace("\\\"score\\\": 85", "\\\"score\\\": 99"));
    assert_ne!(world.bed.read(&file), kept);
    assert_eq!(world.check().exits(3).document()["refusal"]["code"], "statement-forged");
    // A newer statement was seen meanwhile: the kept one is older.
    world.bed.write(&file, &kept);
    let newer = world.bed.read(SEEN).replace("\"sequence\": 7", "\"sequence\": 8");
    world.bed.write(SEEN, newer);
    assert_eq!(world.check().exits(3).document()["refusal"]["code"], "statement-rollback");
}

#[test]
fn an_answer_without_statements_does_not_replace_those_that_were_kept() {
    let world = World::new();
    world.believe("", "min_score: 80");
    world.say(&Said::good());
    world.starts();
    world.bed.configure("");
    world.check().succeeds();
    world.believe("", "min_score: 80");
    fs::rename(world.bed.path("registry"), world.bed.path("away")).unwrap();
    world.check().succeeds();
}

#[test]
fn a_memory_that_others_could_have_written_starts_nothing() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    world.check().succeeds();
    fs::set_permissions(world.bed.path(SEEN), fs::Permissions::from_mode(0o666)).unwrap();
    world.bed.run(&format!("run --trust {TOOL}")).refuses(1, &["could be somebody else's", "seen.json"]);
    assert!(!world.bed.has("proof/started"));
}

#[test]
fn several_that_note_at_once_lose_nothing() {
    let world = World::new();
    world.believe("", "min_score: 50");
    let versions: Vec<_> = (0..8).map(|patch| format!("1.1.{patch}")).collect();
    for version in &versions {
        let package = Package::shell(&format!("acme/tool@{version}"), "true").good();
        world.bed.write("key", world.key.file(None).unwrap());
        fs::set_permissions(world.bed.path("key"), fs::Permissions::from_mode(0o600)).unwrap();
        world.bed.publish(&package.option("--sign", "./key"));
    }
    let start = |version: &String| {
        let line = format!("--json policy check acme/tool@{version}");
        world.bed.smcp(&line).start()
    };
    let children: Vec<_> = versions.iter().map(start).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    assert_eq!(seen(&world)["packages"].as_array().unwrap().len(), versions.len());
}
