//! A registry that floods, and files that are none.

use std::fs;
use std::fs::File;

use crate::world::Said;
use crate::world::World;
use smcp_model::digest::Digest;
use smcp_signature::secret_key::SecretKey;

#[test]
fn a_statement_of_a_gigabyte_is_not_read() {
    for suffix in ["json", "sigstore.json", "1.minisig"] {
        let world = World::new();
        world.believe("", "min_score: 80");
        world.say(&Said::good());
        let statement = Said::good().about(&world.target());
        let stem = format!("{}/{}", world.folder(), Digest::of(&statement).hex());
        File::create(world.bed.path(&format!("{stem}.{suffix}"))).unwrap().set_len(1 << 30).unwrap();
        assert_eq!(world.refuses(3), "statements-unreadable", "{suffix}");
    }
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
