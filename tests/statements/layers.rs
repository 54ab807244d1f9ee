//! Layers, and several signers: each believes its own.

use rcgen::KeyPair;
use serde_json::json;

use crate::sigstore;
use crate::sigstore::Wish;
use crate::world::Said;
use crate::world::TOOL;
use crate::world::World;
use smcp_model::digest::Digest;
use smcp_signature::secret_key::SecretKey;

#[test]
fn two_layers_believe_different_signers() {
    let (world, admin) = (World::new(), SecretKey::generate().unwrap());
    let added = format!(
        "registry_url: {0}\ntrusted_registries: [{{registry: {0}, signed_by: [{{minisign: {1}}}]}}]\npolicy: {{min_score: 50}}\n",
        world.bed.path("registry").display(),
        admin.public()
    );
    world.bed.write("added.yaml", added);
    world.believe("", "min_score: 80");
    let line = format!("--json policy check --trust {TOOL}");
    let check = || world.bed.smcp(&line).env("SMCP_SYSTEM_CONFIG", world.bed.path("added.yaml")).run();
    world.say(&Said::good());
    let document = check().exits(4).document();
    assert_eq!(document["refusal"]["code"], "status-unsigned");
    assert!(document["refusal"]["message"].as_str().unwrap().contains("the added layer"), "{document}");
    // Each is told by its own signer; numbers of different signers are compared with nothing.
    world.sign_by(&admin, &Said { score: 60, sequence: 3, ..Said::good() }.about(&world.target()));
    let document = check().succeeds().document();
    let stated: Vec<_> =
        document["statements"].as_array().unwrap().iter().map(|it| (&it["layer"], &it["score"])).collect();
    assert_eq!(stated, [(&json!("added"), &json!(60)), (&json!("user"), &json!(85))]);
    let document = {
        world.sign_by(&admin, &Said { score: 40, sequence: 4, ..Said::good() }.about(&world.target()));
        check().exits(4).document()
    };
    assert!(document.to_string().contains("security score 40 is below minimum required score 50"), "{document}");
    // A revocation by one of them is enough.
    let revoked = Said { status: Some("revoked"), sequence: 5, ..Said::good() };
    world.sign_by(&admin, &revoked.about(&world.target()));
    assert_eq!(check().exits(4).document()["refusal"]["code"], "status");
}

#[test]
fn a_layer_without_signers_believes_the_registry_as_before() {
    let world = World::new();
    let added = format!("registry_url: {}\npolicy: {{min_score: 90}}\n", world.bed.path("registry").display());
    world.bed.write("added.yaml", added);
    world.say(&Said::good());
    world.believe("", "min_score: 80");
    let ran =
        world.bed.smcp(&format!("--json policy check {TOOL}")).env("SMCP_SYSTEM_CONFIG", world.bed.path("added.yaml"));
    let document = ran.run().succeeds().document();
    assert_eq!(document["facts"]["believed_by"], json!(["added"]));
    assert_eq!(document["statements"].as_array().unwrap().len(), 1);
}

#[test]
fn of_two_signers_in_one_list_the_newest_statement_counts() {
    let (world, second) = (World::new(), SecretKey::generate().unwrap());
    let signers = format!("[{{minisign: {}}}, {{minisign: {}}}]", world.key.public(), second.public());
    world.believe_by(&signers, "", "min_score: 80");
    world.say(&Said::good());
    assert_eq!(world.starts()[0]["signer"], format!("minisign {}", world.key.public()));
    world.sign_by(&second, &Said { score: 81, sequence: 8, ..Said::good() }.about(&world.target()));
    let stated = world.starts();
    assert_eq!(
        (&stated[0]["signer"], &stated[0]["score"]),
        (&format!("minisign {}", second.public()).into(), &81.into())
    );
    world.say(&Said { status: Some("revoked"), sequence: 9, ..Said::good() });
    assert_eq!(world.check().exits(4).document()["refusal"]["code"], "status");
}

#[test]
fn all_of_several_must_have_signed_the_same_statement() {
    let (world, second) = (World::new(), SecretKey::generate().unwrap());
    let signers = format!("[{{all_of: [{{minisign: {}}}, {{minisign: {}}}]}}]", world.key.public(), second.public());
    world.believe_by(&signers, "", "min_score: 80");
    let statement = Said::good().about(&world.target());
    world.sign_by(&world.key, &statement);
    assert_eq!(world.refuses(4), "status-unsigned");
    // Another statement by the other is not the same one.
    world.sign_by(&second, &Said { sequence: 8, ..Said::good() }.about(&world.target()));
    assert_eq!(world.refuses(4), "status-unsigned");
    world.sign_by(&second, &statement);
    let signer = world.starts()[0]["signer"].clone();
    assert!(signer.as_str().unwrap().contains(" and "), "{signer}");
}

#[test]
fn statements_in_sigstore_bundles_are_believed_by_key_and_by_identity() {
    let (world, outside, pem) = (World::new(), sigstore::World::new(), KeyPair::generate().unwrap());
    world.bed.write(".mcp/key.pem", pem.public_key_pem());
    world.bed.write(".mcp/root.json", outside.root().to_string());
    let identity = "[{issuer: 'https://issuer.test', identity: dev@acme.test, trusted_root: root.json}]";
    let wish = |who: &str| Wish { statement: true, ..Wish::of(who, "https://issuer.test") };
    let statement = Said::good().about(&world.target());
    let bundle = |content: &serde_json::Value| {
        world.hide();
        let text = content.to_string();
        let name = Digest::of(text.as_bytes()).hex();
        world.bed.write(&format!("{}/{name}.sigstore.json", world.folder()), text);
    };
    bundle(&outside.sign_with(&pem, &statement, true));
    world.believe_by("[{key: key.pem}]", "", "min_score: 80");
    let signer = world.starts()[0]["signer"].clone();
    assert!(signer.as_str().unwrap().starts_with("key sha256:"), "{signer}");
    world.believe_by("[{key: key.pem, log: required, trusted_root: root.json}]", "", "min_score: 80");
    world.starts();
    std::fs::remove_file(world.bed.path("proof/started")).unwrap();
    // Over the bytes of the statement, as `sign-blob` makes it, is no envelope with a statement.
    bundle(&outside.sign_with(&pem, &statement, false));
    world.believe_by("[{key: key.pem}]", "", "min_score: 80");
    assert_eq!(world.refuses(4), "status-unsigned");
    bundle(&outside.sign(&wish("dev@acme.test"), &statement));
    world.believe_by(identity, "", "min_score: 80");
    assert_eq!(world.starts()[0]["signer"], "dev@acme.test of https://issuer.test");
    std::fs::remove_file(world.bed.path("proof/started")).unwrap();
    bundle(&outside.sign(&wish("ops@acme.test"), &statement));
    assert_eq!(world.refuses(4), "status-unsigned");
    // By another authority, for the identity that is believed.
    bundle(&sigstore::World::new().sign(&wish("dev@acme.test"), &statement));
    assert_eq!(world.refuses(3), "statement-forged");
}

#[test]
fn a_policy_set_can_say_whom_it_believes() {
    let world = World::new();
    let registry = world.bed.path("registry").display().to_string();
    let set = |signers: &str| {
        format!(
            "version: 1\nexpires: 2199-01-01T00:00:00Z\ntrusted_registries: [{{registry: {registry}, signed_by: {signers}}}]\n\
             policy: {{min_score: 80}}\n"
        )
    };
    world.bed.write("company/key.pem", "a key");
    world.bed.write("company/set.yaml", set("[{key: /key.pem}]"));
    std::fs::remove_file(world.bed.path("company/key.pem")).unwrap();
    let refused = world.bed.run("policy set build company -o set.tar.gz");
    assert!(refused.code != 0 && refused.stderr.contains("a policy set has no keys in it"), "{refused}");
    world.bed.write("company/set.yaml", set(&format!("[{{minisign: {}}}]", world.key.public())));
    world.bed.run("policy set build company -o set.tar.gz").succeeds();
    world.bed.configure("policy: {policy_set: {source: ~/set.tar.gz}}\n");
    let document = world.check().exits(4).document();
    assert!(document["refusal"]["message"].as_str().unwrap().contains("the user/set layer"), "{document}");
    world.say(&Said::good());
    assert_eq!(world.starts()[0]["layer"], "user/set");
    let shown = world.bed.run("--json policy set show set.tar.gz").succeeds().document();
    assert!(shown["trusted_registries"][0].as_str().unwrap().contains("(signed by the minisign key "), "{shown}");
    // A layer whose set leaves it out takes it over.
    world.bed.write("company/set.yaml", "version: 2\nexpires: 2199-01-01T00:00:00Z\npolicy: {min_score: 90}\n");
    world.bed.run("policy set build company -o set.tar.gz").succeeds();
    let entry = format!("{{registry: {registry}, signed_by: [{{minisign: {}}}]}}", world.key.public());
    world.bed.configure(&format!("trusted_registries: [{entry}]\npolicy: {{policy_set: {{source: ~/set.tar.gz}}}}\n"));
    assert!(world.check().exits(4).stdout.contains("security score 85 is below minimum required score 90"));
}
