//! Compiled code, kept from one start to the next, by the real program.
//!
//! `host/code` has the tables of what may stand in the place of a file; here is what a start makes of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::process::Output;

use serde_json::Value;
use serde_json::json;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::bed::corrupt;
use crate::bombs;
use smcp_model::digest::Digest;

pub(crate) const NO_NETWORK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/policies/dist/no_network.wasm");
pub(crate) const COMPILED: &str = ".mcp/cache/compiled";
pub(crate) const EVAL: &str = "policy eval --json --facts facts.json";

/// A home with a policy of its own, which refuses what the facts say.
pub(crate) fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.write("rules.wasm", fs::read(NO_NETWORK).unwrap());
    bed.configure("policy: {custom: [{name: no-network, source: ~/rules.wasm, settings: {allow: [a.example.com]}}]}\n");
    let permissions = json!({
        "network": ["b.example.com"],
        "filesystem_read": [],
        "filesystem_write": [],
        "environment": [],
        "subprocess": false,
    });
    let facts = json!({"score": 90, "status": "published", "permissions": permissions});
    bed.write("facts.json", facts.to_string());
    bed
}

/// The decision, without how long it took.
pub(crate) fn verdict(ran: &Ran) -> Value {
    let mut document = ran.document();
    for policy in document["policies"].as_array_mut().unwrap() {
        policy.as_object_mut().unwrap().remove("duration_us").unwrap();
    }
    document
}

/// The file with the code of the policy.
pub(crate) fn file(bed: &TestBed) -> PathBuf {
    let digest = Digest::of(&fs::read(bed.path("rules.wasm")).unwrap()).to_string();
    let files = bed.list(COMPILED);
    let [own] = &files[..] else { panic!("{files:?}") };
    assert!(digest.ends_with(own.split('-').next().unwrap()), "{own}");
    bed.path(COMPILED).join(own)
}

/// The calls into policies in a log, all of them.
pub(crate) fn all_calls(log: &str) -> Vec<&str> {
    log.lines().filter_map(|line| line.split_once("calling `")?.1.strip_suffix('`')).collect()
}

/// The calls into the policy `no-network` in a log.
fn calls(log: &str) -> Vec<&str> {
    let own = log.lines().filter(|line| line.contains("policy{name=no-network}"));
    own.filter_map(|line| line.split_once("calling `")?.1.strip_suffix('`')).collect()
}

pub(crate) fn compiles(ran: &Ran) -> bool {
    ran.stderr.contains("it is compiled now")
}

#[test]
fn a_warm_start_compiles_nothing_and_calls_each_policy_once() {
    let bed = bed();
    let cold = bed.smcp(EVAL).args(&["-vv"]).run().exits(4);
    assert!(compiles(&cold), "{cold}");
    assert_eq!(calls(&cold.stderr), ["describe", "check-settings", "evaluate"]);
    assert_eq!(all_calls(&cold.stderr).len(), 2 + 4, "the built-in ones are not asked: {cold}");
    let warm = bed.smcp(EVAL).args(&["-vv"]).run().exits(4);
    assert!(!compiles(&warm), "{warm}");
    assert_eq!(all_calls(&warm.stderr), ["evaluate"; 4]);
    assert_eq!(verdict(&warm), verdict(&cold));
    // Other settings are other answers of the same component.
    bed.configure("policy: {custom: [{name: no-network, source: ~/rules.wasm, settings: {allow: [b.example.com]}}]}\n");
    let other = bed.smcp(EVAL).args(&["-vv"]).run().succeeds();
    assert!(!compiles(&other));
    assert_eq!(calls(&other.stderr), ["check-settings", "evaluate"]);
    assert_eq!(calls(&bed.smcp(EVAL).args(&["-vv"]).run().succeeds().stderr), ["evaluate"]);
}

/// Settings that a component refuses are refused again, with the same words.
#[test]
fn a_refusal_of_settings_is_kept_too() {
    let bed = bed();
    bed.configure("policy: {custom: [{name: no-network, source: ~/rules.wasm, settings: {alow: []}}]}\n");
    let [cold, warm] = [(); 2].map(|()| bed.smcp(EVAL).args(&["-vv"]).run().exits(4));
    assert_eq!((calls(&cold.stderr), calls(&warm.stderr)), (vec!["describe", "check-settings"], vec![]));
    assert_eq!(verdict(&warm), verdict(&cold));
    assert_eq!(verdict(&warm)["policies"][3]["outcome"], "fault");
}

/// It would be refused again, so it is not compiled again; a file that is mended is another component.
#[test]
fn a_component_that_does_not_compile_is_tried_once() {
    let bed = bed();
    let invalid = wat::parse_str("(component (core module (func (result i32))))").unwrap();
    bed.write("rules.wasm", bombs::policy(&fs::read(NO_NETWORK).unwrap(), &invalid));
    let [cold, warm] = [(); 2].map(|()| bed.smcp(EVAL).args(&["-v"]).run().exits(4));
    assert!(compiles(&cold) && !compiles(&warm), "{cold}{warm}");
    assert_eq!(verdict(&warm), verdict(&cold));
    assert_eq!(verdict(&warm)["policies"][3]["outcome"], "fault");
    bed.write("rules.wasm", fs::read(NO_NETWORK).unwrap());
    assert_eq!(verdict(&bed.run(EVAL).exits(4))["policies"][3]["outcome"], "violation");
}

#[test]
fn damage_is_said_with_v_and_mended_and_changes_no_decision() {
    let bed = bed();
    let expected = verdict(&bed.run(EVAL).exits(4));
    let file = file(&bed);
    let whole = fs::read(&file).unwrap();
    let key = bed.path(".mcp/compiled.key");
    type Damage<'a> = (&'a str, &'a dyn Fn());
    let damages: [Damage<'_>; 6] = [
        ("a bit of the code", &|| corrupt(&file)),
        ("cut off", &|| fs::write(&file, &whole[..whole.len() / 2]).unwrap()),
        ("empty", &|| fs::write(&file, "").unwrap()),
        ("others may write", &|| fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap()),
        ("another key", &|| {
            let mut other = fs::read(&key).unwrap();
            other[0] ^= 1;
            fs::write(&key, other).unwrap();
        }),
        ("no key", &|| fs::remove_file(&key).unwrap()),
    ];
    for (damage, make) in damages {
        make();
        let quiet = bed.run(EVAL).exits(4).silent();
        assert_eq!(verdict(&quiet), expected, "{damage}");
        make();
        let ran = bed.smcp(EVAL).args(&["-v"]).run().exits(4);
        assert_eq!(verdict(&ran), expected, "{damage}");
        assert!(compiles(&ran), "{damage}: {ran}");
        assert!(damage == "no key" || ran.stderr.contains("a compiled file is not used"), "{damage}: {ran}");
        let mended = bed.smcp(EVAL).args(&["-v"]).run().exits(4);
        assert!(!compiles(&mended), "{damage}: {mended}");
    }
}

#[test]
fn fifty_processes_at_once_see_whole_files() {
    let bed = bed();
    let mut starts: Vec<_> = (0..50).map(|_| bed.smcp(EVAL).args(&["-v"])).collect();
    let children: Vec<_> = starts.iter_mut().map(|start| start.start()).collect();
    let outputs: Vec<Output> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    let mut verdicts = Vec::new();
    for output in &outputs {
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{log}");
        assert!(!log.contains("is not used"), "{log}");
        let mut document: Value = serde_json::from_slice(&output.stdout).unwrap();
        for policy in document["policies"].as_array_mut().unwrap() {
            policy.as_object_mut().unwrap().remove("duration_us").unwrap();
        }
        verdicts.push(document);
    }
    verdicts.dedup();
    assert_eq!(verdicts.len(), 1);
    file(&bed);
    assert!(!compiles(&bed.smcp(EVAL).args(&["-v"]).run().exits(4)));
}

/// Processes of this name whose parent has this home.
#[cfg(target_os = "linux")]
fn processes(bed: &TestBed, name: &str) -> Vec<PathBuf> {
    let all = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        let parent = fs::read_to_string(path.join("status")).unwrap_or_default();
        let parent = parent.lines().find_map(|line| line.strip_prefix("PPid:\t")).map(str::to_owned);
        let of_bed = parent.is_some_and(|parent| {
            let environment = fs::read(format!("/proc/{parent}/environ")).unwrap_or_default();
            String::from_utf8_lossy(&environment).contains(bed.path("").to_str().unwrap().trim_end_matches('/'))
        });
        of_bed && fs::read(path.join("cmdline")).unwrap_or_default().starts_with(name.as_bytes())
    };
    all.filter(is_it).collect()
}

/// Whatever is killed, and when: the child goes with its parent, and the next start finds nothing half done.
#[cfg(target_os = "linux")]
#[test]
fn a_start_that_is_killed_while_it_compiles_leaves_nothing() {
    let bed = bed();
    // It has the shape of a policy, so that it comes to be compiled.
    bed.write("rules.wasm", bombs::policy(&fs::read(NO_NETWORK).unwrap(), &bombs::slow_to_compile()));
    let mut start = bed.smcp(EVAL);
    let mut smcp = start.start();
    let child = loop {
        if let Some(child) = processes(&bed, "smcp-compiler").pop() {
            break child;
        }
        assert!(smcp.try_wait().unwrap().is_none(), "it ended before it compiled");
        std::thread::yield_now();
    };
    smcp.kill().unwrap();
    smcp.wait().unwrap();
    let is_over = || fs::read_to_string(child.join("stat")).map_or(true, |stat| stat.contains(") Z "));
    while !is_over() {
        std::thread::yield_now();
    }
    assert_eq!(bed.list(COMPILED), [""; 0]);
    bed.write("rules.wasm", fs::read(NO_NETWORK).unwrap());
    assert_eq!(verdict(&bed.run(EVAL).exits(4))["policies"][3]["outcome"], "violation");
}

/// A run that waits for a compiler says so: not that the package took too long.
#[test]
fn a_start_that_waits_for_a_compiler_says_so() {
    let bed = bed();
    bed.write("rules.wasm", bombs::policy(&fs::read(NO_NETWORK).unwrap(), &bombs::slow_to_compile()));
    bed.publish(&crate::bed::Package::shell("acme/tool@1.0.0", "cat").good());
    bed.run("run --dry-run --timeout 1s acme/tool@1.0.0").refuses(
        5,
        &["compiling the policy `no-network` is not finished: it took longer than 1s", "smcp config validate"],
    );
}

/// Where nothing can be kept, each start compiles, and says so.
#[test]
fn where_nothing_can_be_kept_each_start_compiles_and_says_so() {
    let bed = bed();
    let config = bed.path(".mcp/config.yaml").display().to_string();
    let allow = "settings: {allow: [a.example.com]}";
    bed.write(
        ".mcp/config.yaml",
        format!("policy: {{custom: [{{name: no-network, source: ../rules.wasm, {allow}}}]}}\naudit: best-effort\n"),
    );
    for _ in 0..2 {
        let ran = bed.smcp(EVAL).args(&["-v", "--config", &config, "--cache-dir", "cache"]).without_env("HOME").run();
        assert!(compiles(&ran), "{ran}");
        let notices = ran.document()["notices"].to_string();
        assert!(notices.contains("compiled-each-time") && notices.contains("HOME is not set"), "{notices}");
    }
}

/// Runs `smcp` in a mount namespace, after a line of shell; `None` where the system doesn't let us.
#[cfg(target_os = "linux")]
pub(crate) fn mounted(bed: &TestBed, line: &str, arguments: &[&str]) -> Option<Output> {
    Some(in_mounts(bed, line, &[&EVAL.split(' ').collect::<Vec<_>>(), arguments].concat())?.output().unwrap())
}

/// The command for that, with all arguments.
#[cfg(target_os = "linux")]
pub(crate) fn in_mounts(bed: &TestBed, line: &str, arguments: &[&str]) -> Option<Command> {
    let possible = Command::new("unshare").args(["-m", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !possible.is_ok_and(|output| output.status.success()) {
        let is_root = nix::unistd::geteuid().is_root();
        assert!(!is_root || std::env::var_os("CI").is_none(), "root in CI has mount namespaces");
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &format!("{line} && exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_smcp")]);
    command.args(arguments).current_dir(bed.path(""));
    command.env_clear().env("HOME", bed.path("")).env("PATH", std::env::var_os("PATH").unwrap());
    Some(command)
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_home_a_full_disk_and_one_without_programs_change_no_decision() {
    let bed = bed();
    let expected = verdict(&bed.run(EVAL).exits(4));
    let outcome = |output: &Output| {
        let document: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&output.stderr));
        });
        (output.status.code().unwrap(), document["policies"][3]["outcome"].clone(), document["notices"].to_string())
    };
    fs::create_dir(bed.path("other")).unwrap();
    let home = bed.path("");
    let (home, cache) = (home.display(), bed.path("other").display().to_string());
    let audit = ["--cache-dir", &cache];
    bed.configure("audit: best-effort\npolicy: {custom: [{name: no-network, source: ~/rules.wasm, settings: {allow: [a.example.com]}}]}\n");
    let tmpfs = |options: &str| format!("mount -t tmpfs -o {options} none '{cache}'");
    for (mount, arguments, kept) in [
        // As it is in a container: what is there is read.
        (format!("mount --bind '{home}' '{home}' && mount -o remount,ro,bind '{home}'"), &[][..], true),
        (format!("mount --bind '{home}' '{home}' && mount -o remount,ro,bind '{home}'"), &audit[..], false),
        (tmpfs("size=64k,mode=700"), &audit, false),
        (tmpfs("mode=700,noexec"), &audit, true),
        ("mount -t tmpfs none /proc".to_owned(), &[], true),
        ("mount -t tmpfs none /proc".to_owned(), &audit, true),
    ] {
        let Some(output) = mounted(&bed, &mount, arguments) else { return };
        let (code, outcome, notices) = outcome(&output);
        assert_eq!((code, &outcome), (4, &expected["policies"][3]["outcome"]), "{mount}: {notices}");
        assert_eq!(!notices.contains("compiled-each-time"), kept, "{mount}: {notices}");
    }
    // Code on a file system from which no program starts is copied, and runs.
    let warm = tmpfs("mode=700,noexec") + " && \"$0\" " + EVAL + " --cache-dir \"$HOME/other\" >/dev/null; true";
    let output = mounted(&bed, &warm, &["--cache-dir", &cache, "-vv"]).unwrap();
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(log.contains("can't be run where it lies, and is copied") && !log.contains("compiled now"), "{log}");
    assert_eq!(outcome(&output).1, expected["policies"][3]["outcome"]);
}

/// Compiles what no start has compiled yet, with what the configuration says, or as a file.
#[test]
fn policies_are_compiled_ahead() {
    let bed = bed();
    bed.write("other.wasm", fs::read(NO_NETWORK).unwrap());
    bed.write("broken.wasm", "(component)");
    let states = |ran: &Ran| {
        let document = ran.document();
        assert_eq!(document["schema"], "smcp.compile/1");
        let rows = document["components"].as_array().unwrap().iter();
        rows.map(|row| row["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(states(&bed.run("policy compile --json").succeeds().silent()), ["compiled"]);
    let warm = bed.smcp(EVAL).args(&["-vv"]).run().exits(4);
    assert_eq!((compiles(&warm), calls(&warm.stderr)), (false, vec!["evaluate"]));
    assert_eq!(states(&bed.run("policy compile --json").succeeds()), ["kept"]);
    let mixed = bed.run("policy compile --json other.wasm broken.wasm missing.wasm").exits(1);
    assert_eq!(states(&mixed), ["kept", "fault", "fault"]);
    bed.run("cache rm --all").succeeds();
    assert_eq!(states(&bed.run("policy compile --json other.wasm").succeeds()), ["compiled"]);
    let human = bed.run("policy compile other.wasm broken.wasm").exits(1);
    insta::assert_snapshot!(human);
    bed.configure("");
    bed.run("policy compile")
        .succeeds()
        .silent()
        .prints("there is nothing to compile: no policy of the configuration has a component of its own\n");
}

/// `config validate` compiles too.
#[test]
fn whoever_validates_a_configuration_compiles_it() {
    let bed = bed();
    bed.run("config validate").succeeds();
    assert!(!compiles(&bed.smcp(EVAL).args(&["-v"]).run().exits(4)));
}

#[test]
fn compiled_code_is_in_the_list_of_the_cache() {
    let bed = bed();
    bed.run(EVAL).exits(4);
    let listed = bed.run("cache ls --json").succeeds().document();
    let entries = listed["entries"].as_array().unwrap();
    let kinds: Vec<_> = entries.iter().map(|entry| entry["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["compiled"]);
    bed.run("cache gc").succeeds();
    assert_eq!(bed.list(COMPILED).len(), 1, "what no package has is not what nobody knows");
    let digest = Digest::of(&fs::read(bed.path("rules.wasm")).unwrap());
    bed.run(&format!("cache rm {digest}")).succeeds();
    assert_eq!(bed.list(COMPILED), [""; 0]);
    assert!(compiles(&bed.smcp(EVAL).args(&["-v"]).run().exits(4)));
}

/// What root compiled is read by a user who can keep nothing of his own.
#[cfg(target_os = "linux")]
#[test]
fn what_root_compiled_for_the_system_is_used_by_everybody() {
    let bed = bed();
    let smcp = env!("CARGO_BIN_EXE_smcp");
    let fill = |more: &str| {
        format!(
            "mount -t tmpfs -o mode=755 none /var/cache && '{smcp}' policy compile --system rules.wasm >&2 && {more}"
        )
    };
    let cases = [
        ("true", false),
        // Another user could have written it.
        ("chmod 777 /var/cache/smcp/compiled", true),
        ("chown 64001 /var/cache/smcp", true),
        ("mv /var/cache/smcp /var/cache/x && ln -s x /var/cache/smcp", true),
        ("chmod 666 /var/cache/smcp/compiled/*", true),
        ("rm /var/cache/smcp/compiled/*", true),
    ];
    for (change, compiled) in cases {
        drop(fs::remove_dir_all(bed.path(".mcp/cache")));
        let Some(output) = mounted(&bed, &fill(change), &["-v"]) else { return };
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{log}");
        assert!(log.contains("1 of 1 compiled in /var/cache/smcp/compiled"), "{log}");
        assert_eq!(log.contains("it is compiled now"), compiled, "{change}: {log}");
    }
}
