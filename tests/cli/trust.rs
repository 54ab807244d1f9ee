//! Who may own and write rules, and where they may be: others start nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::bed::Invocation;
use crate::bed::Package;
use crate::bed::TestBed;

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::shell("acme/tool@1.0.0", "touch \"$HOME/proof/started\"; echo runs").good());
    bed
}

fn mode(bed: &TestBed, name: &str, mode: u32) {
    std::fs::set_permissions(bed.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The same invocation after a line of shell, which ends in `exec "$0" "$@"`.
pub(crate) fn behind<'b>(script: &str, mut invocation: Invocation<'b>) -> Invocation<'b> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(script).arg(invocation.command.get_program()).args(invocation.command.get_args());
    shell.current_dir(invocation.command.get_current_dir().unwrap()).env_clear();
    shell.envs(invocation.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    invocation.command = shell;
    invocation
}

#[test]
fn rules_that_others_may_write_start_nothing() {
    let bed = bed();
    bed.write("facts.json", "{}");
    for bad in [0o666, 0o602] {
        mode(&bed, ".mcp/config.yaml", bad);
        let says = ["~/.mcp/config.yaml: others may write to it", "run: chmod go-w [HOME]/.mcp/config.yaml"];
        bed.run("run acme/tool@1.0.0").refuses(1, &says);
        bed.run("run --trust acme/tool@1.0.0").refuses(1, &says);
        // A dry run reports the same as a run.
        bed.run("run --dry-run acme/tool@1.0.0").refuses(1, &says);
        let document = bed.run("run --dry-run --json acme/tool@1.0.0").exits(1).document();
        assert_eq!(document["problems"][0]["code"], "untrusted", "{document}");
        let doctor = bed.run("doctor").exits(1);
        assert!(doctor.stdout.contains("others may write to it"), "{doctor}");
        // Commands that start nothing report it and go on.
        let says = ["[HOME]/.mcp/config.yaml: others may write to it", says[1], "until then `smcp run` refuses it"];
        for line in ["policy check acme/tool@1.0.0", "policy eval --facts facts.json", "policy list", "config validate"]
        {
            bed.run(line).succeeds().says(&says);
        }
    }
    mode(&bed, ".mcp/config.yaml", 0o644);
    mode(&bed, ".mcp", 0o777);
    let folder = ["~/.mcp: others may write to it (mode 0777)", "run: chmod go-w [HOME]/.mcp"];
    bed.run("run acme/tool@1.0.0").refuses(1, &folder);
    // A user who may write there could have removed the rules.
    std::fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
    bed.run("run --registry registry acme/tool@1.0.0").refuses(1, &folder);
    assert!(!bed.has("proof/started"));
}

#[test]
fn a_component_that_others_may_write_starts_nothing() {
    let bed = bed();
    bed.write("rules/p.wasm", "not a component");
    bed.configure("policy: {custom: [{name: mine, source: ~/rules/p.wasm, mode: warn}]}\n");
    bed.run("run acme/tool@1.0.0").succeeds().prints("runs\n");
    std::fs::remove_file(bed.path("proof/started")).unwrap();
    for (changed, bad, good) in [("rules/p.wasm", 0o666, 0o644), ("rules", 0o777, 0o755)] {
        mode(&bed, changed, bad);
        let (what, command) =
            (format!("[HOME]/{changed}: others may write to it"), format!("run: chmod go-w [HOME]/{changed}"));
        let says = [what.as_str(), command.as_str()];
        bed.run("run acme/tool@1.0.0").refuses(1, &["policy `mine`"]).says(&says);
        let doctor = bed.run("doctor").exits(1);
        assert!(doctor.stdout.contains("policy `mine`"), "{doctor}");
        bed.run("policy check acme/tool@1.0.0").succeeds().says(&says);
        bed.run("config validate").exits(1).says(&says);
        mode(&bed, changed, good);
    }
    mode(&bed, "rules/p.wasm", 0o666);
    bed.configure("policy: {custom: [{name: mine, source: ~/rules/p.wasm, mode: disabled}]}\n");
    bed.run("run acme/tool@1.0.0").succeeds();
}

/// Only root can give files away. Without root, the only files of another owner are the system's, which are root's.
#[test]
fn rules_of_another_user_start_nothing() {
    let bed = bed();
    if !is_root() {
        assert!(std::os::unix::fs::chown(bed.path(".mcp/config.yaml"), Some(4242), None).is_err());
        return;
    }
    for path in [".mcp/config.yaml", ".mcp"] {
        std::os::unix::fs::chown(bed.path(path), Some(4242), None).unwrap();
        let (what, command) =
            (format!("~/{path}: it belongs to another user (uid 4242)"), format!("run: chown 0 [HOME]/{path}"));
        bed.run("run acme/tool@1.0.0").refuses(1, &[&what, &command]);
        std::os::unix::fs::chown(bed.path(path), Some(0), None).unwrap();
    }
    // Root in a container checks out the files of another user.
    bed.write("checkout/policy.yaml", "registry_url: ~/registry\n");
    for path in ["checkout/policy.yaml", "checkout"] {
        std::os::unix::fs::chown(bed.path(path), Some(4242), None).unwrap();
    }
    bed.run("--config checkout/policy.yaml policy check acme/tool@1.0.0").succeeds().says(&["uid 4242"]);
    bed.run("--config checkout/policy.yaml run acme/tool@1.0.0").refuses(1, &["uid 4242"]);
    assert!(!bed.has("proof/started"));
}

#[test]
fn rules_where_nothing_looks_for_them_are_refused() {
    let cases = [
        (".mcp/config.yml", "~/.mcp/config.yml: it is not read: it must be called `config.yaml`"),
        (".mcp/Config.YAML", "~/.mcp/Config.YAML: it is not read"),
        (".mcp/policies.d", "~/.mcp/policies.d: the configuration can't be read: Not a directory"),
    ];
    for (name, says) in cases {
        let bed = bed();
        bed.write(name, "policy: {allowed_origins: []}\n");
        bed.run("run acme/tool@1.0.0").refuses(1, &[says]);
        std::fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
        bed.run("run --registry registry acme/tool@1.0.0").refuses(1, &[says]);
        let doctor = bed.run("doctor").exits(1);
        assert!(doctor.stdout.contains(says.split(": ").next().unwrap()), "{doctor}");
        assert!(!bed.has("proof/started"));
    }
    let bed = bed();
    std::fs::remove_dir_all(bed.path(".mcp")).unwrap();
    bed.write(".mcp", "policy: {}\n");
    bed.run("run --registry registry acme/tool@1.0.0").refuses(1, &["~/.mcp: it is not a directory"]);
}

#[test]
fn without_a_current_folder_only_absolute_paths_mean_something() {
    let bed = bed();
    let gone = |line: &str| {
        std::fs::create_dir(bed.path("gone")).unwrap();
        behind("cd gone && rmdir ../gone && exec \"$0\" \"$@\"", bed.smcp(line)).run()
    };
    for (line, path) in [
        ("--cache-dir ./x run acme/tool@1.0.0", "./x"),
        ("--registry ./r info acme/tool@1.0.0", "./r"),
        ("--config ./c.yaml run acme/tool@1.0.0", "./c.yaml"),
        ("mcp-config --client cursor --cache-dir x acme/tool@1.0.0", "x"),
        ("mcp-config --client cursor --file f.json acme/tool@1.0.0", "f.json"),
        ("policy eval --facts f.json", "f.json"),
        ("policy inspect p.wasm", "p.wasm"),
        ("run --env-file e acme/tool@1.0.0", "e"),
        ("registry publish --registry ./r acme/tool@2.0.0 b", "b"),
        ("audit verify a.jsonl", "a.jsonl"),
    ] {
        gone(line).refuses(1, &[&format!("`{path}` is relative, and the current folder can't be found")]);
    }
    gone("run acme/tool@1.0.0").succeeds().prints("runs\n");
    gone(&format!("--registry {} info acme/tool@1.0.0", bed.path("registry").display())).succeeds();
    gone("--cache-dir ~/other run acme/tool@1.0.0").succeeds();
}

#[test]
fn a_configuration_can_be_begun() {
    let bed = TestBed::new();
    let wrote = bed.run("config init").succeeds().silent();
    insta::assert_snapshot!("init", wrote);
    let mode_of = |name: &str| std::fs::metadata(bed.path(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode_of(".mcp"), mode_of(".mcp/config.yaml")), (0o700, 0o600));
    bed.run("config validate").succeeds().silent();
    let before = bed.read(".mcp/config.yaml");
    bed.run("config init").refuses(1, &["[HOME]/.mcp/config.yaml is there already, and was not changed"]);
    assert_eq!(bed.read(".mcp/config.yaml"), before);
    let document = bed.run("--json --config team/rules.yaml config init").succeeds().silent().document();
    assert_eq!(document["schema"], "smcp.config-init/1");
    assert_eq!(bed.read("team/rules.yaml"), before);
    std::os::unix::fs::symlink("nowhere", bed.path("link.yaml")).unwrap();
    bed.run("--config link.yaml config init").refuses(1, &["[HOME]/link.yaml is there already"]);
    assert!(!bed.has("nowhere"));
}

#[test]
fn that_nothing_is_configured_is_said_where_something_is_decided() {
    let bed = bed();
    std::fs::remove_file(bed.path(".mcp/config.yaml")).unwrap();
    bed.write("facts.json", r#"{"origin": "nobody"}"#);
    let says = "no policy is configured";
    for line in ["run acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0", "policy check acme/tool@1.0.0", "policy list"]
    {
        bed.run(&format!("--registry registry {line}")).succeeds().says(&[says]);
    }
    for line in ["cache ls", "info acme/tool@1.0.0", "pull acme/tool@1.0.0", "config show", "config validate"] {
        let ran = bed.run(&format!("--registry registry {line}")).succeeds();
        assert!(!ran.stderr.contains(says), "{ran}");
    }
    let ran = bed.run("policy eval --facts facts.json").succeeds().silent();
    assert!(ran.stdout.starts_with("note: no rules are configured"), "{ran}");
    let document = bed.run("policy eval --json --facts facts.json").succeeds().silent().document();
    let codes: Vec<_> = document["notices"].as_array().unwrap().iter().map(|notice| &notice["code"]).collect();
    assert!(codes.contains(&&"unconfigured".into()), "{document}");
    bed.configure("");
    let ran = bed.run("policy eval --facts facts.json").succeeds().silent();
    assert!(!ran.stdout.contains("no rules are configured"), "{ran}");
}
