//! A registry that floods, and files that are none.

use std::fs;
use std::fs::File;

use rcgen::KeyPair;

use crate::sigstore;
use crate::world::Said;
use crate::world::World;
use smcp_model::digest::Digest;
use smcp_signature::secret_key::SecretKey;

#[test]
fn what_is_too_long_for_a_statement_is_neither_read_nor_in_the_way() {
    for length in [20 << 10, 1 << 30] {
        for suffix in ["json", "sigstore.json", "1.minisig"] {
            let world = World::new();
            world.believe("", "min_score: 80");
            world.say(&Said::good());
            world.place(b"{}", "2", "nonsense");
            let stem = format!("{}/{}", world.folder(), Digest::of(b"{}").hex());
            File::create(world.bed.path(&format!("{stem}.{suffix}"))).unwrap().set_len(length).unwrap();
            world.starts();
            // Nor does it hide what is in order.
            world.say(&Said { status: Some("revoked"), sequence: 8, ..Said::good() });
            assert_eq!(world.check().exits(4).document()["refusal"]["code"], "status", "{suffix}");
        }
    }
}

/// A build attaches lists of what was built in, signed by the same signers.
#[test]
fn bundles_about_something_else_are_not_counted() {
    let (world, outside, pem) = (World::new(), sigstore::World::new(), KeyPair::generate().unwrap());
    world.bed.write(".mcp/key.pem", pem.public_key_pem());
    world.believe_by("[{key: key.pem}]", "", "min_score: 80");
    let place = |statement: &[u8]| {
        let text = outside.sign_with(&pem, statement, true).to_string();
        let name = Digest::of(text.as_bytes()).hex();
        world.bed.write(&format!("{}/{name}.sigstore.json", world.folder()), text);
    };
    place(&Said::good().about(&world.target()));
    for number in 0..70 {
        let padding = "x".repeat(300 * number);
        place(
            format!(r#"{{"predicateType": "https://spdx.dev/Document", "number": {number}, "x": "{padding}"}}"#)
                .as_bytes(),
        );
    }
    world.starts();
    for sequence in 8..71 {
        place(&Said { sequence, ..Said::good() }.about(&world.target()));
    }
    world.starts();
    // A later form of facts counts.
    place(br#"{"predicateType": "https://mcp-hub.info/facts/v2"}"#);
    assert_eq!(world.check().exits(3).document()["refusal"]["code"], "statements-unreadable");
}

#[test]
fn thousands_of_statements_are_refused_and_not_read_in_part() {
    for (count, exit) in [(63, 0), (64, 3), (300, 3), (3_000, 3)] {
        let world = World::new();
        world.believe("", "min_score: 80");
        world.say(&Said::good());
        let stranger = SecretKey::generate().unwrap();
        let number = stranger.public().number();
        for sequence in 0..count {
            let statement = Said { sequence: sequence + 1, ..Said::good() }.about(&world.target());
            // Their signatures need not be right to be counted.
            world.place(&statement, &number, "nonsense");
        }
        if exit == 0 {
            world.starts();
        } else {
            assert_eq!(world.refuses(exit), "statements-unreadable", "{count}");
        }
    }
}

#[test]
fn what_is_no_file_is_no_statement() {
    let world = World::new();
    world.believe("", "min_score: 80");
    fs::create_dir_all(world.bed.path(&format!("{}/{}.json", world.folder(), "0".repeat(64)))).unwrap();
    // The registry can't be read as it should be, which is no reason to start.
    assert_ne!(world.check().code, 0);
    world.hide();
    world.bed.write("registry/packages/acme/tool/1.0.0.statements", "a file");
    assert_eq!(world.refuses(4), "status-unsigned");
}

#[test]
fn nobody_who_does_not_go_by_statements_is_disturbed_by_them() {
    let world = World::new();
    world.say(&Said { status: Some("revoked"), ..Said::good() });
    world.place(b"{}", "X", "nonsense");
    let statement = world.bed.path(&format!("{}/{}.json", world.folder(), "0".repeat(64)));
    File::create(statement).unwrap().set_len(1 << 30).unwrap();
    for trusted in ["", "trusted_registries: [~/registry]\n", "trusted_registries: [{registry: ~/registry}]\n"] {
        world.bed.configure(trusted);
        let document = world.check().succeeds().document();
        assert!(document.get("statements").is_none(), "{document}");
        assert_eq!(document["facts"]["believed_by"], serde_json::json!(["user"]));
    }
}
