//! An administrator's rules, in a real `/etc/mcp`: a mount namespace, as root.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::machine::Machine;

#[test]
fn an_administrators_folder_is_read_or_refused_in_every_shape() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    for (make, says) in [
        ("mkdir -p mcp/policies.d", ""),
        ("mkdir mcp; ln -s mcp/config.yaml x", ""),
        ("mkdir mcp; ln -s nowhere mcp/policies.d", "/etc/mcp/policies.d: the configuration can't be read: No such"),
        ("mkdir mcp; touch mcp/policies.d", "/etc/mcp/policies.d: the configuration can't be read: Not a directory"),
        ("mkdir mcp; touch mcp/config.yaml", "/etc/mcp/config.yaml:1:1: a system layer must say whose facts"),
        ("mkdir mcp; touch mcp/config.yml", "/etc/mcp/config.yml: it is not read: it must be called `config.yaml`"),
        ("mkdir mcp; mkdir mcp/config.yaml", "/etc/mcp/config.yaml: the configuration can't be read"),
        ("mkdir mcp; ln -s nowhere mcp/config.yaml", "/etc/mcp/config.yaml: the configuration can't be read"),
        ("mkdir -p mcp/policies.d; touch mcp/policies.d/A.yaml", "/etc/mcp/policies.d/A.yaml: the file's name is the"),
        ("touch mcp", "/etc/mcp: it is not a directory"),
        ("ln -s nowhere mcp", "/etc/mcp: the configuration can't be read: /etc/mcp is a link that leads nowhere"),
        ("ln -s mcp mcp", "/etc/mcp: the configuration can't be read: Too many levels of symbolic links"),
    ] {
        let made = Command::new("sh").args(["-c", make]).current_dir(bed.path("etc")).status().unwrap();
        assert!(made.success(), "{make}");
        if says.is_empty() {
            machine.run("run acme/tool@1.0.0").succeeds().prints("runs\n");
        } else {
            machine.run("run acme/tool@1.0.0").refuses(1, &[says]);
            machine.run("policy check acme/tool@1.0.0").refuses(1, &[says]);
            let doctor = machine.run("doctor").exits(1);
            let seen = doctor.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(seen.contains(says), "{make}: {doctor}");
        }
        std::fs::remove_dir_all(bed.path("etc")).unwrap();
        std::fs::create_dir(bed.path("etc")).unwrap();
    }
}

#[test]
fn both_layers_must_allow() {
    let Some(machine) = Machine::new() else { return };
    for (system, user, exit) in [
        ("", "", 0),
        ("policy: {min_score: 90}", "", 4),
        ("", "policy: {min_score: 90}", 4),
        ("policy: {min_score: 80}", "policy: {min_score: 70}", 0),
        ("policy: {allowed_origins: [official]}", "policy: {allowed_origins: [verified]}", 4),
        ("policy: {min_score: 90, score_mode: warn}", "", 4),
        ("policy: {min_score: 90, score_mode: disabled}", "policy: {min_score: 90}", 4),
    ] {
        machine.administer(system);
        machine.0.configure(user);
        let document = machine.run("policy check --json acme/tool@1.0.0").exits(exit).document();
        let layers: Vec<_> = document["policies"].as_array().unwrap().iter().map(|policy| &policy["layer"]).collect();
        assert_eq!(layers, ["system", "system", "system", "user", "user", "user"]);
        assert_eq!(document["facts"]["believed_by"], serde_json::json!(["system", "user"]));
        assert_eq!(machine.run("run acme/tool@1.0.0").code, exit, "{system} | {user}");
        assert_eq!(std::fs::remove_file(machine.0.path("proof/started")).is_ok(), exit == 0, "{system} | {user}");
    }
}

/// Every way in which a user can tell smcp something, against a rule that forbids the package.
#[test]
fn nothing_that_a_user_says_lifts_an_administrators_rule() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    machine.administer("policy: {min_score: 90}");
    let refused = |line: &str, variables: &[(&str, &str)]| {
        let ran = machine.run_with(line, variables);
        assert!(matches!(ran.code, 1 | 4), "{line} {variables:?}: {ran}");
        assert!(!bed.has("proof/started"), "{line} {variables:?}");
        ran
    };
    let of_system = |ran: &Ran| assert!(ran.stderr.contains("system") && ran.code == 4, "{ran}");
    // His own file, with every key of the rules and every mode.
    for text in [
        "",
        "policy: {min_score: 0, score_mode: disabled, cert_mode: disabled, origin_mode: disabled}",
        "policy: {warning_threshold: 0, min_score: 0}",
        "trusted_registries: []",
        "audit: best-effort\nstart_timeout: 1h\nmax_facts_age: 365d",
    ] {
        bed.configure(text);
        of_system(&refused("run --trust acme/tool@1.0.0", &[]));
    }
    // Files that he names, variables, another home, another folder.
    bed.write("other.yaml", "registry_url: ~/registry\npolicy: {score_mode: disabled}\n");
    bed.write("empty/.mcp/config.yaml", format!("registry_url: {}\n", bed.path("registry").display()));
    let (home, own) = (bed.path("empty"), bed.path("other.yaml"));
    let (home, own) = (home.to_str().unwrap(), own.to_str().unwrap());
    for (line, variables) in [
        ("--config other.yaml run --trust acme/tool@1.0.0", &[][..]),
        ("run --trust acme/tool@1.0.0", &[("SMCP_CONFIG", own)]),
        ("run --trust acme/tool@1.0.0", &[("SMCP_SYSTEM_CONFIG", own)]),
        ("run --trust acme/tool@1.0.0", &[("HOME", home)]),
        ("--registry registry --cache-dir elsewhere run --trust acme/tool@1.0.0", &[]),
        ("run --trust --warning-threshold 100 acme/tool@1.0.0", &[]),
        // A folder that has what a home has.
        ("--config empty/.mcp/config.yaml run --trust acme/tool@1.0.0", &[]),
        ("run --trust acme/tool@1.0.0", &[("SMCP_TRUST", "1"), ("MCP_TRUST", "1"), ("SMCP_POLICY", "none")]),
    ] {
        of_system(&refused(line, variables));
    }
    refused("run --trust acme/tool@1.0.0", &[("SMCP_SYSTEM_CONFIG", "/nowhere.yaml")]);
    refused("run --trust acme/tool@1.0.0", &[("SMCP_SYSTEM_CONFIG", "")]);
    // Another registry with better facts: an administrator's rules believe only the one that he names.
    let better = "registry publish --registry better --origin official --cert-level 3 --score 100";
    bed.run(&format!("{better} acme/tool@1.0.0 bundles/acme-tool-1.0.0")).succeeds();
    bed.configure("trusted_registries: [~/better]");
    of_system(&refused("--registry better run --trust acme/tool@1.0.0", &[]));
    of_system(&refused("run --trust acme/tool@1.0.0", &[("SMCP_REGISTRY", bed.path("better").to_str().unwrap())]));
    // Policies of his own that are broken, take all that they may have, or are many.
    for text in [
        "policy: {custom: [{name: broken, source: none.wasm, mode: warn}]}",
        "policy: {custom: [{name: large, source: none.wasm, mode: warn, limits: {time: 10s, memory: 512MiB}}]}",
        "policy: {custom: [{name: score-2, source: none.wasm, mode: disabled}]}",
    ] {
        bed.configure(text);
        of_system(&refused("run --trust acme/tool@1.0.0", &[]));
    }
    let many: String =
        (0..1_000).map(|number| format!("{{name: p{number}, source: p.wasm, mode: disabled}}, ")).collect();
    bed.configure(&format!("policy: {{max_policies: 1024, custom: [{many}]}}"));
    of_system(&refused("run --trust acme/tool@1.0.0", &[]));
    bed.configure(&format!("policy: {{custom: [{many}]}}"));
    assert_eq!(refused("run --trust acme/tool@1.0.0", &[]).code, 1, "too many of his own stop only himself");
}

/// A run that is killed starts nothing that it would have refused, and the next one refuses as before.
#[test]
fn a_run_that_is_killed_in_the_middle_starts_nothing() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    machine.administer("policy: {min_score: 90}");
    // What a run opens, in the order in which it does: each is a moment to kill it at.
    for file in [".mcp/audit.lock", ".mcp/audit.jsonl", ".mcp/cache/CACHEDIR.TAG", ".mcp/cache/blobs"] {
        for left in [".mcp/audit.lock", ".mcp/audit.jsonl"] {
            drop(std::fs::remove_file(bed.path(left)));
        }
        drop(std::fs::remove_dir_all(bed.path(".mcp/cache")));
        let mut invocation = machine.invocation("run --trust acme/tool@1.0.0", &[]);
        let mut running = invocation.start();
        while !bed.has(file) && running.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        running.kill().unwrap();
        running.wait().unwrap();
        assert!(!bed.has("proof/started"), "{file}");
        machine.run("run --trust acme/tool@1.0.0").refuses(4, &["system"]);
    }
}

#[test]
fn what_somebody_else_could_have_written_is_no_administrators_rule() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    machine.administer("policy: {custom: [{name: mine, source: /etc/mcp/mine.wasm, mode: warn}]}");
    bed.write("etc/mcp/mine.wasm", "no component");
    bed.write("etc/mcp/policies.d/more.yaml", "source: ../mine.wasm\nmode: warn\n");
    machine.run("run --trust acme/tool@1.0.0").succeeds().prints("runs\n");
    for (path, mode) in [
        ("etc/mcp/config.yaml", 0o666),
        ("etc/mcp/config.yaml", 0o664),
        ("etc/mcp/mine.wasm", 0o666),
        ("etc/mcp/policies.d/more.yaml", 0o602),
        ("etc/mcp/policies.d", 0o777),
        ("etc/mcp/policies.d", 0o1777),
        ("etc/mcp", 0o775),
        ("etc", 0o777),
    ] {
        let set = |mode| std::fs::set_permissions(bed.path(path), std::fs::Permissions::from_mode(mode)).unwrap();
        let before = std::fs::metadata(bed.path(path)).unwrap().permissions().mode();
        set(mode);
        machine.run("run --trust acme/tool@1.0.0").refuses(1, &[&format!("/{path}: ")]);
        machine.run("policy check --trust acme/tool@1.0.0").succeeds().says(&[&format!("/{path}: ")]);
        set(before);
    }
    for path in ["etc/mcp/config.yaml", "etc/mcp/mine.wasm", "etc/mcp/policies.d", "etc/mcp", "etc"] {
        std::os::unix::fs::chown(bed.path(path), Some(4242), None).unwrap();
        let says = [&format!("/{path}: it belongs to another user (uid 4242)"), "chown 0 "];
        machine.run("run --trust acme/tool@1.0.0").refuses(1, &says.map(|text: &str| text));
        std::os::unix::fs::chown(bed.path(path), Some(0), None).unwrap();
    }
    // A link on the way counts, too.
    std::fs::rename(bed.path("etc/mcp/mine.wasm"), bed.path("mine.wasm")).unwrap();
    std::os::unix::fs::symlink(bed.path("mine.wasm"), bed.path("etc/mcp/mine.wasm")).unwrap();
    machine.run("run --trust acme/tool@1.0.0").succeeds();
    std::fs::set_permissions(bed.path("mine.wasm"), std::fs::Permissions::from_mode(0o646)).unwrap();
    machine.run("run --trust acme/tool@1.0.0").refuses(1, &["/mine.wasm: others may write to it"]);
}

#[test]
fn the_administrators_places_win() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    machine.administer("cache_dir: /var/cache/of-all\naudit_log: /var/log/of-all.jsonl\nstart_timeout: 30s\n");
    bed.configure("cache_dir: ~/mine\naudit_log: ~/mine.jsonl\nstart_timeout: 1h\naudit: best-effort\n");
    let ran = machine.run("--json config show").succeeds();
    let value = |key: &str| ran.document()["settings"][key]["value"].clone();
    assert_eq!(value("cache_dir"), Value::from("/var/cache/of-all"));
    assert_eq!(value("audit_log"), Value::from("/var/log/of-all.jsonl"));
    assert_eq!((value("start_timeout"), value("audit")), ("30s".into(), "required".into()));
    assert!(ran.stderr.contains("`audit_log` is ignored"), "{ran}");
}

#[test]
fn an_administrators_contact_stands_with_every_refusal_of_his() {
    let Some(machine) = Machine::new() else { return };
    let contact = "#sec-help, security@example.com";
    let ask = format!("ask: {contact} (system layer)");
    machine.administer(&format!("admin_contact: \"{contact}\"\npolicy: {{min_score: 90}}\n"));
    machine.run("run acme/tool@1.0.0").refuses(4, &[&ask]);
    let document = machine.run("policy check --json acme/tool@1.0.0").exits(4).document();
    let contacts: Vec<_> = document["policies"].as_array().unwrap().iter().map(|one| &one["admin_contact"]).collect();
    assert_eq!(contacts.iter().filter(|found| **found == contact).count(), 1, "{document}");
    assert_eq!(*contacts[2], Value::from(contact), "the one that refuses: {document}");
    let record = machine.0.read(".mcp/audit.jsonl");
    let record: Value = serde_json::from_str(record.lines().last().unwrap()).unwrap();
    assert_eq!(record["decision"]["policies"][2]["admin_contact"], contact);
    assert_eq!(record["policies"][0]["admin_contact"], contact, "{record}");
    // A client that can't see the terminal is told, too.
    let asked = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#;
    let ran = machine.run_on("run acme/tool@1.0.0", &[], &format!("{asked}\n"));
    let answer: Value = serde_json::from_str(ran.raw.lines().next().unwrap()).unwrap();
    assert!(answer["error"]["message"].as_str().unwrap().ends_with(&format!("Ask \"{contact}\"")), "{answer}");
    // So is the model, where the rule only warns.
    let answers = r#"read line; echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25"}}'"#;
    machine.0.publish(&Package::shell("acme/server@1.0.0", answers).facts("verified", 2, 85));
    machine.administer(&format!("admin_contact: \"{contact}\"\npolicy: {{min_score: 90, score_mode: warn}}\n"));
    let ran = machine.run_on("run --trust acme/server@1.0.0", &[], &format!("{asked}\n")).succeeds();
    let answer: Value = serde_json::from_str(ran.raw.lines().next().unwrap()).unwrap();
    let told = answer["result"]["instructions"].as_str().unwrap();
    let words = format!("About the rules of the system layer the user can ask \"{contact}\".");
    assert!(told.contains(&words), "{told}");
    // What only the user's rules refuse is no business of the administrator's.
    machine.administer(&format!("admin_contact: \"{contact}\"\n"));
    machine.0.configure("policy: {min_score: 90}");
    let ran = machine.run("run acme/tool@1.0.0").exits(4);
    assert!(!ran.stderr.contains(contact), "{ran}");
}

#[test]
fn what_is_in_force_says_where_it_comes_from_and_what_another_layer_says() {
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    machine
        .administer("start_timeout: 30s\npolicy:\n  min_score: 80\n  custom: [{name: a, source: /etc/mcp/a.wasm}]\n");
    bed.write("etc/mcp/policies.d/b.wasm", "no component");
    bed.configure("start_timeout: 20s\ncache_dir: ~/mine\npolicy: {min_score: 60}\n");
    insta::assert_snapshot!("layers_shown", machine.run("config show").succeeds().stdout);
    insta::assert_snapshot!("layers_listed", machine.run("policy list").succeeds().stdout);
    let document = machine.run("--json config show").succeeds().document();
    let timeout = &document["settings"]["start_timeout"];
    assert_eq!((&timeout["value"], &timeout["at"]), (&"20s".into(), &"~/.mcp/config.yaml:2:16".into()));
    let overruled = serde_json::json!([{"layer": "system", "value": "30s", "at": "/etc/mcp/config.yaml:2:16"}]);
    assert_eq!(timeout["overruled"], overruled);
    let list = machine.run("--json policy list").succeeds().document();
    let places: Vec<_> = list["policies"].as_array().unwrap().iter().map(|row| row["at"].clone()).collect();
    assert_eq!(
        places,
        [
            Value::Null,
            Value::Null,
            "/etc/mcp/config.yaml:4:14".into(),
            "/etc/mcp/config.yaml:5:12".into(),
            "/etc/mcp/policies.d/b.wasm".into(),
            Value::Null,
            Value::Null,
            "~/.mcp/config.yaml:4:21".into(),
        ]
    );
}

/// The added layer needs no root: its file may belong to the user.
#[test]
fn a_variable_adds_a_layer_and_takes_none_away() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "echo runs").facts("verified", 2, 85));
    let with = |line: &str, text: &str| {
        bed.write("added/config.yaml", format!("registry_url: ../registry\n{text}"));
        bed.smcp(line).env("SMCP_SYSTEM_CONFIG", bed.path("added/config.yaml")).run()
    };
    with("run acme/tool@1.0.0", "").succeeds().prints("runs\n");
    with("run acme/tool@1.0.0", "policy: {min_score: 90}").refuses(4, &["added"]);
    bed.configure("policy: {min_score: 90}");
    with("run acme/tool@1.0.0", "policy: {min_score: 0, score_mode: disabled}").refuses(4, &["user"]);
    bed.configure("");
    let document = with("policy check --json acme/tool@1.0.0", "policy: {min_score: 90}").exits(4).document();
    assert_eq!(document["policies"][0]["layer"], "added", "{document}");
    // Its own `policies.d` belongs to it.
    bed.write("added/policies.d/broken.wasm", "no component");
    with("run acme/tool@1.0.0", "").refuses(4, &["broken", "added", "fault: load"]);
    std::fs::remove_dir_all(bed.path("added/policies.d")).unwrap();
    for (value, says) in
        [("", "SMCP_SYSTEM_CONFIG: the name of the configuration file is empty"), ("/nowhere", "does not exist")]
    {
        bed.smcp("run acme/tool@1.0.0").env("SMCP_SYSTEM_CONFIG", value).run().refuses(1, &[says]);
    }
    std::fs::set_permissions(bed.path("added"), std::fs::Permissions::from_mode(0o777)).unwrap();
    with("run acme/tool@1.0.0", "").refuses(1, &["/added: others may write to it"]);
}

/// A set of the administrator's has his authority: his key, which nobody else may have written, says what counts.
#[test]
fn an_administrators_set_is_the_one_that_his_key_has_signed() {
    use smcp_signature::minisign;
    use smcp_signature::secret_key::SecretKey;
    let Some(machine) = Machine::new() else { return };
    let bed = &machine.0;
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let put = |version: u64, policy: &str, key: &SecretKey| {
        let text = format!("version: {version}\nexpires: 2199-12-31T00:00:00Z\npolicy: {policy}\n");
        let archive = smcp_bundle::set::pack_set(&[("set.yaml".to_owned(), text.into_bytes())].into()).unwrap();
        bed.write("etc/mcp/company.tar.gz.minisig", minisign::sign(key, &archive, "timestamp:1"));
        bed.write("etc/mcp/company.tar.gz", archive);
    };
    let name = |mode: &str| {
        let set = format!("{{source: company.tar.gz, signed_by: [{{minisign: '{}'}}]}}", key.public());
        machine.administer(&format!("policy: {{score_mode: {mode}, policy_set: {set}}}\n"));
    };
    name("strict");
    let run = "run acme/tool@1.0.0";
    put(5, "{min_score: 99}", &other);
    machine.run(run).refuses(3, &["/etc/mcp/company.tar.gz, is not signed as the configuration says"]);
    put(5, "{min_score: 90}", &key);
    machine.run(run).exits(4);
    // The user's rules change nothing of it, and neither do his own sets, keys and variables.
    bed.configure("policy: {score_mode: disabled, policy_set: {source: ../own.tar.gz}}\n");
    bed.write("own/set.yaml", "version: 9\nexpires: 2199-12-31T00:00:00Z\npolicy: {score_mode: disabled}\n");
    machine.run("policy set build own").exits(0);
    machine.run(run).exits(4);
    // Whoever can write the file can't sign it.
    put(6, "{}", &other);
    machine.run(run).exits(4).says(&["it is by another minisign key", "version 5 stays in force"]);
    put(4, "{}", &key);
    machine.run(run).exits(4).says(&["has version 4, and this machine has seen version 5"]);
    put(6, "{min_score: 80}", &key);
    machine.run(run).succeeds().prints("runs\n");
    let shown = machine.run("--json policy set show").succeeds().document();
    let of = |at: usize| (shown["sets"][at]["layer"].clone(), shown["sets"][at]["version"].clone());
    assert_eq!((of(0), of(1)), (("system/set".into(), 6.into()), ("user/set".into(), 9.into())));
    assert_eq!(shown["sets"][0]["signer"], format!("minisign {}", key.public()));
    // A file that the user owns is not the administrator's, whoever has signed what is in it.
    std::os::unix::fs::chown(bed.path("etc/mcp/company.tar.gz"), Some(12345), None).unwrap();
    machine.run(run).refuses(1, &["policy set of the system/set layer could be somebody else's"]);
}
