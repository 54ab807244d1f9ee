//! `registry publish --sign`, `registry attest`, and what shows statements.

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::world::Said;
use crate::world::TOOL;
use crate::world::World;

/// A home with two keys without passwords; returns the public keys.
fn home() -> (TestBed, String, String) {
    let bed = TestBed::new();
    bed.configure("");
    let make = |name: &str| {
        let document = bed.run(&format!("--json policy sign --new-key {name} --no-password")).succeeds().document();
        let text = document.to_string();
        let start = text.find("RW").unwrap();
        text[start..start + 56].to_owned()
    };
    let (own, second) = (make("own"), make("second"));
    (bed, own, second)
}

fn package() -> Package {
    Package::shell(TOOL, "touch \"$HOME/proof/started\"").good()
}

fn believe(bed: &TestBed, signers: &str) {
    bed.configure(&format!(
        "trusted_registries: [{{registry: ~/registry, signed_by: {signers}}}]\npolicy: {{min_score: 80}}\n"
    ));
}

fn attest(bed: &TestBed, options: &str) -> crate::bed::Ran {
    bed.run(&format!("--json registry attest --registry registry {options} {TOOL}"))
}

fn check(bed: &TestBed) -> crate::bed::Ran {
    bed.run(&format!("--json policy check --trust {TOOL}"))
}

#[test]
fn a_signed_version_is_there_with_its_statement() {
    let (bed, own, _) = home();
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    bed.publish(&package().option("--sign", "own"));
    let document = check(&bed).succeeds().document();
    let stated = &document["statements"][0];
    assert_eq!(
        (&stated["score"], &stated["origin"], &stated["cert_level"]),
        (&95.into(), &"official".into(), &3.into())
    );
    assert!(stated["signer"].as_str().unwrap().contains(&own));
    // The log has it, too.
    bed.run(&format!("run {TOOL}")).succeeds();
    let log = bed.read(".mcp/audit.jsonl");
    let records: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decision = records.iter().rfind(|record| record["event"] == "decision").unwrap();
    assert_eq!(decision["decision"]["statements"][0]["digest"], stated["digest"]);
    assert_eq!(decision["policies"][0]["facts_believed"], false, "the registry's own words are not");
    // minisign's own form, so that its program verifies it, too.
    let folder = bed.list("registry/packages/acme/tool/1.0.0.statements").remove(0);
    let names = bed.list(&format!("registry/packages/acme/tool/1.0.0.statements/{folder}"));
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].ends_with(".minisig") && names[1].ends_with(".json"), "{names:?}");
}

#[test]
fn later_statements_renew_change_and_revoke() {
    let (bed, own, _) = home();
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    bed.publish(&package());
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status-unsigned");
    let made =
        attest(&bed, "--sign own --status published --score 81 --sequence 5 --expires 30d").succeeds().document();
    assert_eq!((&made["sequence"], &made["package"]), (&5.into(), &TOOL.into()));
    assert_eq!(check(&bed).succeeds().document()["statements"][0]["score"], 81);
    // The rest is taken from what the same key has said.
    attest(&bed, "--sign own --renew --cert-level 2 --sequence 6").succeeds();
    let stated = check(&bed).succeeds().document()["statements"][0].clone();
    assert_eq!(
        (&stated["score"], &stated["cert_level"], &stated["status"]),
        (&81.into(), &2.into(), &"published".into())
    );
    attest(&bed, "--sign own --status published --score 50 --sequence 7").succeeds();
    check(&bed).exits(4);
    // By default a number is the time, which is later than any so far.
    attest(&bed, "--sign own --renew --status revoked").succeeds();
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status");
    bed.run(&format!("run --trust {TOOL}")).refuses(4, &["signed that this version is `revoked`"]);
    assert!(!bed.has("proof/started"));
    attest(&bed, "--sign own --renew --status published --score 90").succeeds();
    check(&bed).succeeds();
}

#[test]
fn a_second_signer_signs_what_is_there() {
    let (bed, own, second) = home();
    believe(&bed, &format!("[{{all_of: [{{minisign: {own}}}, {{minisign: {second}}}]}}]"));
    bed.publish(&package().option("--sign", "own"));
    check(&bed).exits(4);
    // What anybody else has put there is not what is signed, however high its number is.
    attest(&bed, "--sign second --status published --score 100 --sequence 9007199254740990").succeeds();
    bed.run(&format!("registry attest --registry registry --cosign {own} --sign second {TOOL}"))
        .succeeds()
        .says(&["score", "95", "manifest", "bundle"]);
    let signed = attest(&bed, &format!("--cosign {second} --sign own")).succeeds().document();
    assert_eq!(signed["sequence"], 9_007_199_254_740_990_u64, "{signed}");
    let nobody = own.replace(&own[10..20], "AAAAAAAAAA");
    let none = attest(&bed, &format!("--cosign {nobody} --sign second")).exits(1);
    assert!(none.stdout.contains("has signed no statement about this version"), "{none}");
    let stated = check(&bed).succeeds().document()["statements"].clone();
    // What one of them says alone is not what both say.
    attest(&bed, "--sign second --renew --score 96").succeeds();
    assert_eq!(check(&bed).succeeds().document()["statements"], stated);
}

#[test]
fn what_can_not_be_signed_is_refused_before_anything_changes() {
    let (bed, own, _) = home();
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    bed.publish(&package().option("--sign", "own"));
    for (options, said) in [
        ("--status published", "--sign KEY must name the key"),
        ("--sign own", "required"),
        ("--sign own --renew --expires 367d", "at most 366d"),
        ("--sign own --renew --expires 0s", "above zero"),
        ("--sign own --renew --sequence 0", "invalid value"),
        ("--sign own --renew --sequence 1", "this key has signed number"),
        ("--sign second --renew", "this key has signed nothing"),
        ("--sign nobody --renew", "nobody.key"),
        (&format!("--sign own --cosign {own} --score 1"), "cannot be used with"),
        ("--sign own --cosign second", "a minisign public key is one line"),
        ("--sign own --status good", "invalid value"),
    ] {
        let ran = bed.run(&format!("registry attest --registry registry {options} {TOOL}")).exits(1);
        assert!(ran.stderr.contains(said), "{options}: {ran}");
    }
    bed.run("registry attest --registry registry --sign own --status published acme/tool@2.0.0").exits(2);
    bed.run(&format!("registry attest --registry https://x.example --sign own --status published {TOOL}")).exits(1);
    // To publish again is no way to take a revocation back by accident.
    attest(&bed, "--sign own --renew --status revoked").succeeds();
    bed.try_publish(&package().option("--sign", "own"))
        .refuses(1, &["this key has signed that", "`revoked`", "--status"]);
    check(&bed).exits(4);
    bed.publish(&package().option("--sign", "own").option("--status", "published"));
    // Other facts change the manifest, which the statements are about.
    bed.try_publish(&package().facts("official", 3, 40)).refuses(1, &["has signed statements", "--sign"]);
    check(&bed).succeeds();
    bed.publish(&package().facts("official", 3, 40).option("--sign", "own"));
    assert!(check(&bed).exits(4).stdout.contains("security score 40"));
    // The same facts with another status leave the manifest as it is.
    bed.publish(&package().facts("official", 3, 40).option("--status", "revoked"));
    assert_eq!(check(&bed).exits(4).document()["refusal"]["code"], "status");
}

#[test]
fn a_registry_directory_keeps_the_newest_statements_of_each_signer() {
    let (bed, own, _) = home();
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    bed.publish(&package());
    attest(&bed, "--sign second --status published --sequence 1").succeeds();
    for sequence in 1..=10 {
        attest(&bed, &format!("--sign own --status published --score 90 --sequence {sequence}")).succeeds();
    }
    let folder = bed.list("registry/packages/acme/tool/1.0.0.statements").remove(0);
    let names = bed.list(&format!("registry/packages/acme/tool/1.0.0.statements/{folder}"));
    assert_eq!(names.iter().filter(|name| name.ends_with(".minisig")).count(), 9, "{names:?}");
    assert_eq!(names.len(), 18, "{names:?}");
    assert_eq!(check(&bed).succeeds().document()["statements"][0]["sequence"], 10);
}

#[test]
fn who_has_signed_is_shown() {
    let (bed, own, _) = home();
    bed.publish(&package().option("--sign", "own").option("--sequence", "5"));
    let listed = bed.run("--json registry list --registry registry").succeeds().document();
    let statement = &listed["packages"][0]["statement"];
    assert_eq!((&statement["sequence"], &statement["minisign"][0]), (&5.into(), &own_number(&own).into()));
    bed.run("registry list --registry registry").succeeds();
    // `info` says what the layers would go by.
    assert!(bed.run(&format!("--json info {TOOL}")).succeeds().document().get("statements").is_none());
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    let shown = bed.run(&format!("--json info {TOOL}")).succeeds().document();
    assert_eq!((&shown["statements"][0]["layer"], &shown["statements"][0]["sequence"]), (&"user".into(), &5.into()));
    let told = bed.run(&format!("info {TOOL}")).succeeds();
    assert!(told.stdout.contains("user layer: published, official, level 3, score 95; by minisign "), "{told}");
    believe(&bed, "[{minisign: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}]");
    let told = bed.run(&format!("info {TOOL}")).succeeds();
    assert!(told.stdout.contains("there is none by whoever is believed"), "{told}");
    assert!(!told.stdout.contains("  score "), "the registry's own word is no fact: {told}");
}

/// Returns the lines of a report, without the space between name and value.
fn rows(text: &str) -> Vec<String> {
    text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn the_facts_in_force_come_before_what_the_registry_says() {
    let world = World::new();
    world.believe("", "min_score: 50");
    world.say(&Said::good());
    let place = |rows: &[String], start: &str| {
        rows.iter().position(|row| row.starts_with(start)).unwrap_or_else(|| panic!("{start}: {rows:?}"))
    };
    for line in ["info", "policy check --trust"] {
        let told = world.bed.run(&format!("{line} {TOOL}")).succeeds();
        let rows = rows(&told.stdout);
        let at = ["score 85/100", "signed user layer: published, verified, score 85;", "unsigned "];
        assert!(at.map(|start| place(&rows, start)).is_sorted(), "{told}");
        assert!(rows.iter().any(|row| row.ends_with("level 3, score 95; by the registry itself")), "{told}");
        assert!(!rows.iter().any(|row| row.starts_with("score 95")), "{told}");
        assert!(rows.contains(&"level unknown".to_owned()), "{told}");
    }
    // A layer that believes the registry: then both are in force.
    let added = format!("registry_url: {}\npolicy: {{min_score: 90}}\n", world.bed.path("registry").display());
    world.bed.write("added.yaml", added);
    let check = |line: &str| {
        let line = format!("{line} {TOOL}");
        world.bed.smcp(&line).env("SMCP_SYSTEM_CONFIG", world.bed.path("added.yaml")).run().succeeds()
    };
    let told = check("policy check --trust");
    let both = rows(&told.stdout);
    assert!(!both.iter().any(|row| row.starts_with("score ")), "{told}");
    assert!(place(&both, "signed user layer") < place(&both, "unsigned "), "{told}");
    // A revocation is not shown below `published`.
    world.say(&Said { status: Some("revoked"), score: 90, sequence: 8, ..Said::good() });
    let told = world.bed.run(&format!("info {TOOL}")).succeeds();
    let revoked = rows(&told.stdout);
    assert!(place(&revoked, "status revoked") < place(&revoked, "unsigned published"), "{told}");
    let told = world.bed.run(&format!("policy check {TOOL}")).exits(4);
    let refused = rows(&told.stdout);
    assert!(!refused.iter().any(|row| row.starts_with("status ") || row.starts_with("score ")), "{told}");
    place(&refused, "unsigned published");
}

/// The number of a key, as its signatures have it.
fn own_number(key: &str) -> String {
    key.parse::<smcp_model::signer::MinisignKey>().unwrap().number()
}

#[test]
fn a_facts_document_is_signed_by_nobody() {
    let (bed, own, _) = home();
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    let registry = bed.path("registry");
    std::fs::create_dir(&registry).unwrap();
    let facts = serde_json::json!({
        "org": "acme", "name": "tool", "version": "1.0.0", "status": "published", "origin": "official", "score": 95,
        "registry": registry.to_str().unwrap(),
    });
    bed.write("facts.json", facts.to_string());
    let document = bed.run("--json policy eval --facts facts.json").exits(4).document();
    assert_eq!(document["refusal"]["code"], "status-unsigned", "{document}");
    let mut facts = facts;
    facts.as_object_mut().unwrap().remove("registry");
    bed.write("facts.json", facts.to_string());
    bed.run("--json policy eval --facts facts.json").succeeds();
}

#[test]
fn a_key_that_can_not_be_used_is_found_before_a_start() {
    let (bed, own, _) = home();
    bed.publish(&package());
    believe(&bed, "[{key: team.pem}]");
    let said = ["[HOME]/.mcp/team.pem, which `signed_by` names, can't be used"];
    bed.run("config validate").refuses(1, &said);
    bed.run(&format!("run {TOOL}")).refuses(1, &said);
    let checks = bed.run("--json doctor").exits(1).document();
    assert!(checks.to_string().contains("which `signed_by` names"), "{checks}");
    believe(&bed, &format!("[{{minisign: {own}}}]"));
    bed.run("config validate").succeeds();
    let checks = bed.run("--json doctor").document();
    assert!(checks.to_string().contains("that are signed by the minisign key"), "{checks}");
}

#[test]
fn a_key_that_others_could_have_written_starts_nothing() {
    use std::os::unix::fs::PermissionsExt as _;
    let (bed, _, _) = home();
    bed.publish(&package());
    believe(&bed, "[{key: team.pem}]");
    let key = rcgen::KeyPair::generate().unwrap();
    bed.write(".mcp/team.pem", key.public_key_pem());
    std::fs::set_permissions(bed.path(".mcp/team.pem"), std::fs::Permissions::from_mode(0o666)).unwrap();
    bed.run(&format!("run {TOOL}")).refuses(1, &["could be somebody else's", "team.pem"]);
    let checked = bed.run(&format!("policy check {TOOL}")).exits(4);
    assert!(checked.stderr.contains("team.pem"), "{checked}");
}
