//! Which registries an administrator's layer believes.

use std::os::unix::fs::symlink;

use crate::machine::Machine;

#[test]
fn a_locked_layer_takes_packages_from_its_own_registries_alone() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    bed.run("registry publish --registry other --origin official --cert-level 3 --score 100 acme/tool@1.0.0 bundles/acme-tool-1.0.0")
        .succeeds();
    let (own, other) = (bed.path("registry"), bed.path("other"));
    let (own, other) = (own.to_str().unwrap(), other.to_str().unwrap());
    machine.administer("registries: locked\nadmin_contact: ask us\n");
    machine.run("run acme/tool@1.0.0").succeeds();
    let says = [
        "packages may not come from [HOME]/other: the system layer has `registries: locked` (/etc/mcp/config.yaml:2:13); ask ask us",
        "use one that it trusts: [HOME]/registry",
    ];
    for (line, variables) in [
        ("--registry other run --trust acme/tool@1.0.0", &[][..]),
        ("run --trust acme/tool@1.0.0", &[("SMCP_REGISTRY", other)]),
        ("--registry other policy check acme/tool@1.0.0", &[]),
        ("--registry other pull acme/tool@1.0.0", &[]),
    ] {
        machine.run_with(line, variables).refuses(1, &says);
    }
    // Where the administrator names none, the user's may be one that he trusts, and no other.
    bed.write("etc/mcp/config.yaml", format!("registries: locked\ntrusted_registries: [{own}]\n"));
    machine.run("run acme/tool@1.0.0").succeeds();
    bed.write(".mcp/config.yaml", format!("registry_url: {other}\n"));
    machine.run("run acme/tool@1.0.0").refuses(1, &["registries: locked"]);
    // Without the lock its packages run, but nothing that it says of them counts.
    bed.write("etc/mcp/config.yaml", format!("trusted_registries: [{own}]\npolicy: {{min_score: 50}}\n"));
    machine.run("run acme/tool@1.0.0").refuses(4, &["the system layer does not trust [HOME]/other"]);
    let document = machine.run("policy check --json acme/tool@1.0.0").exits(4).document();
    assert_eq!(document["facts"]["believed_by"], serde_json::json!(["user"]), "{document}");
}

/// Directories are compared by canonical path: another name of the same one is believed, and a link to another is not.
#[test]
fn a_directory_is_the_same_registry_by_whatever_name() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    bed.run("registry publish --registry other --origin official --cert-level 3 --score 100 acme/tool@1.0.0 bundles/acme-tool-1.0.0")
        .succeeds();
    std::fs::create_dir(bed.path("links")).unwrap();
    symlink(bed.path("registry"), bed.path("links/same")).unwrap();
    symlink(bed.path("other"), bed.path("links/another")).unwrap();
    symlink("nowhere", bed.path("links/dangling")).unwrap();
    let home = bed.path("");
    let home = home.display();
    for (registries, uses, believed) in [
        (format!("registry_url: {home}/registry"), "links/same", true),
        (format!("registry_url: {home}/links/same"), "registry", true),
        (format!("trusted_registries: [{home}/links/same]"), "links/../registry", true),
        (format!("registry_url: {home}/registry"), "links/another", false),
        (format!("registry_url: {home}/links/another"), "registry", false),
        (format!("registry_url: {home}/links/dangling"), "registry", false),
    ] {
        let case = format!("{registries}, {uses}");
        bed.write("etc/mcp/config.yaml", format!("{registries}\npolicy: {{min_score: 50}}\n"));
        let exit = if believed { 0 } else { 4 };
        let document =
            machine.run(&format!("--registry {uses} policy check --json acme/tool@1.0.0")).exits(exit).document();
        let by = document["facts"]["believed_by"].as_array().unwrap();
        assert_eq!(by.contains(&"system".into()), believed, "{case}: {document}");
        assert_eq!(machine.run(&format!("--registry {uses} run acme/tool@1.0.0")).code, exit, "{case}");
        let facts = format!(r#"{{"registry": "{uses}", "score": 85}}"#);
        let decided = machine.run_on("policy eval --facts -", &[], &facts);
        assert_eq!(decided.code, exit, "{case}: {decided}");
        bed.write("etc/mcp/config.yaml", format!("{registries}\nregistries: locked\n"));
        let exit = if believed { 0 } else { 1 };
        assert_eq!(machine.run(&format!("--registry {uses} run acme/tool@1.0.0")).code, exit, "{case}");
    }
}
