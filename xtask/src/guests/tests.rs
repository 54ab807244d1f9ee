//! Tests what every committed component has to fulfil.

use std::fs;
use std::path::Path;

use wit_component::DecodedWasm;

use super::*;

/// Bytes: the bound that the project sets itself.
const MAX_SIZE: usize = 64 * 1024;

#[test]
fn committed_components_import_the_log_export_the_evaluator_and_are_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for set in [GuestSet::BUILTINS, GuestSet::EXAMPLES] {
        for guest in set.guests {
            let bytes = fs::read(root.join(set.dist).join(guest.file)).unwrap();
            assert!(bytes.len() < MAX_SIZE, "{}: {} bytes", guest.file, bytes.len());
            let DecodedWasm::Component(resolve, world) = wit_component::decode(&bytes).unwrap() else {
                panic!("{} is not a component", guest.file);
            };
            let world = &resolve.worlds[world];
            let imports: Vec<_> = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
            let exports: Vec<_> = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
            // The component inside smcp asks which of its policies an instance is, and nothing else.
            let own: &[&str] = if guest.name == "built-ins" { &["smcp:built-ins/selection@0.1.0"] } else { &[] };
            assert_eq!(imports, [&["smcp:policy/logging@0.1.0"], own].concat(), "{}", guest.file);
            assert_eq!(exports, ["smcp:policy/evaluator@0.1.0"], "{}", guest.file);
        }
    }
}
