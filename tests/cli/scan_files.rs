//! `smcp scan`: files that can't be read, and what is in the place of files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::scan::CURSOR;
use crate::scan::DESKTOP;
use crate::scan::SMCP;
use crate::scan::bed;
use crate::scan::cursor;
use crate::scan::told;

#[test]
fn a_file_that_can_not_be_read_is_told_and_the_rest_goes_on() {
    let hostile: [(&str, &[u8], &str); 19] = [
        (CURSOR, b"{\"mcpServers\": ", "it is not JSON"),
        (CURSOR, b"[]", "it is not an object"),
        (CURSOR, b"\"mcpServers\"", "it is not an object"),
        (CURSOR, b"{\"mcpServers\": []}", "`mcpServers` in it is not an object"),
        (CURSOR, b"{\"mcpServers\": {\"a\": {\"command\": \"x\"}}, \"mcpServers\": {}}", "stands twice"),
        (CURSOR, b"{\"mcpServers\": {\"a\": {\"command\": \"npx\", \"command\": \"smcp\"}}}", "stands twice"),
        (CURSOR, b"\xff\xfe{}", "it is not UTF-8"),
        (".claude.json", b"{\"projects\": {\"/a\": 5}}", "is not an object"),
        (".codex/config.toml", b"[mcp_servers.a]\ncommand = 'x'\n[mcp_servers.a]\n", "it is not TOML"),
        (
            ".config/goose/config.yaml",
            b"extensions: {a: {cmd: x}, a: {cmd: y}}\n",
            "it is not YAML that clients agree on",
        ),
        // What ends the comment for some clients alone.
        (
            CURSOR,
            b"{\n // x\r \"mcpServers\": {\"a\": {\"command\": \"x\"}}\n}",
            "clients disagree about where a comment",
        ),
        (".config/opencode/opencode.json", b"{ // x\r \"mcp\": {}\n}", "clients disagree about where a comment"),
        (
            ".config/zed/settings.json",
            "{ // x\u{2028} \"context_servers\": {}\n}".as_bytes(),
            "clients disagree about where",
        ),
        // What may be there in the head of an agent.
        (".claude/agents/a.md", b"---\nname: a: b\nmcpServers: [x: {command: x}]\n---\n", "it is not YAML"),
        (".claude/agents/a.md", b"---\nname: a: b\n\"mcp\\x53ervers\": [x: {command: x}]\n---\n", "it is not YAML"),
        (".claude/agents/a.md", b"---\nmcpServers: [x: {command: x, args: [---]}]\n---\n", "where its head ends"),
        (".gemini/agents/a.md", b"---\nmcp_servers: {x: {command: x}, x: {command: y}}\n---\n", "it has a key twice"),
        (".config/goose/config.yaml", b"extensions: [\n", "it is not YAML that clients agree on"),
        (".config/goose/config.yaml", b"a: &a [1]\nb: &b [*a, *a]\n\tc: 1\n", "it is not YAML that clients agree on"),
    ];
    for (file, bytes, why) in hostile {
        let bed = bed();
        bed.write(file, bytes);
        bed.write(DESKTOP, cursor(&[("fine", &format!("{SMCP} run acme/good@1.0.0"))]));
        let ran = bed.run("--json scan").exits(1);
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        let problems: Vec<_> =
            document["files"].as_array().unwrap().iter().filter_map(|it| it["problem"].as_str()).collect();
        assert!(problems.len() == 1 && problems[0].contains(why), "{file}: {ran}");
        assert_eq!((&document["unread"], told(&ran).len()), (&Value::from(1), 1), "{ran}");
        let human = bed.run("scan").exits(1);
        assert!(human.stdout.contains("1 file can't be read") && human.stdout.contains("may run today"), "{human}");
    }
    let bed = bed();
    let many: Vec<_> = (0..1001).map(|number| format!("\"{number}\": {{}}")).collect();
    bed.write(CURSOR, format!("{{\"mcpServers\": {{{}}}}}", many.join(", ")));
    assert!(bed.run("scan").exits(1).stdout.contains("it has more than 1000 servers"));
    let depth = "[".repeat(200_000);
    for text in [format!("{{\"a\": {depth}"), format!("{{\"mcpServers\": {{\"a\": {depth}")] {
        bed.write(CURSOR, text);
        bed.run("scan").exits(1).silent();
    }
}

#[test]
fn a_file_that_others_may_write_to_is_said_to_be() {
    let bed = bed();
    let mode = |name: &str, mode| fs::set_permissions(bed.path(name), fs::Permissions::from_mode(mode)).unwrap();
    bed.write(CURSOR, cursor(&[("fine", &format!("{SMCP} run acme/good@1.0.0"))]));
    bed.write(".claude.json", "{}");
    let exposure = || {
        let document: Value = serde_json::from_str(&bed.run("--json scan").succeeds().raw).unwrap();
        let files = document["files"].as_array().unwrap().clone();
        let files = files.iter().map(|file| file["exposure"].as_array().unwrap().clone());
        files.map(|said| said.iter().map(|it| bed.redact(it.as_str().unwrap())).collect()).collect::<Vec<Vec<String>>>()
    };
    assert_eq!(exposure(), [[""; 0], []]);
    assert!(bed.run("scan").succeeds().stdout.contains("✓ every server is started through smcp, and pinned\n"));
    mode(CURSOR, 0o666);
    mode(".cursor", 0o777);
    let whoever = "and whoever may write there chooses what the client starts";
    let expected = [
        format!(
            "[HOME]/.cursor/mcp.json: others may write to it (mode 0666), {whoever}; run: chmod go-w [HOME]/.cursor/mcp.json"
        ),
        format!("[HOME]/.cursor: others may write to it (mode 0777), {whoever}; run: chmod go-w [HOME]/.cursor"),
    ];
    assert_eq!(exposure(), [vec![], expected.to_vec()]);
    let human = bed.run("scan").succeeds().stdout;
    assert!(expected.iter().all(|said| human.contains(&format!("  ! {said}\n"))), "{human}");
    assert!(
        human.ends_with("! every server is started through smcp, and pinned; others may change 1 file\n"),
        "{human}"
    );
    let log: Value = serde_json::from_str(&bed.run("scan --format sarif").succeeds().raw).unwrap();
    let result = &log["runs"][0]["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&"exposed-file".into(), &"warning".into()));
    // A link says nothing of the file that it leads to.
    mode(CURSOR, 0o600);
    mode(".cursor", 0o700);
    bed.write("shared/claude.json", "{}");
    mode("shared", 0o1777);
    fs::remove_file(bed.path(".claude.json")).unwrap();
    symlink("shared/claude.json", bed.path(".claude.json")).unwrap();
    assert!(exposure()[0][0].starts_with("[HOME]/shared: others may write to it (mode 1777)"));
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(bed.path(CURSOR), Some(12_345), None).unwrap();
        assert_eq!(
            exposure()[1],
            [format!("[HOME]/.cursor/mcp.json: it belongs to another user (uid 12345), {whoever}")]
        );
    }
}

#[test]
fn links_pipes_and_locked_files_are_told() {
    let bed = bed();
    fs::create_dir(bed.path(".cursor")).unwrap();
    let told = |bed: &TestBed| {
        let ran = bed.run("--json scan");
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        let file = &document["files"][0];
        let text = |key: &str| file[key].as_str().map(|text| bed.redact(text));
        (ran.code, text("problem"), text("link_to"))
    };
    symlink("nowhere.json", bed.path(CURSOR)).unwrap();
    assert_eq!(told(&bed), (1, Some("it is a link that leads nowhere".to_owned()), None));
    fs::remove_file(bed.path(CURSOR)).unwrap();
    bed.write("dotfiles/cursor.json", "{}");
    symlink("../dotfiles/cursor.json", bed.path(CURSOR)).unwrap();
    assert_eq!(told(&bed), (0, None, Some("[HOME]/dotfiles/cursor.json".to_owned())));
    fs::remove_file(bed.path(CURSOR)).unwrap();
    symlink("mcp.json", bed.path(CURSOR)).unwrap();
    assert_eq!(told(&bed).0, 1, "a loop");
    fs::remove_file(bed.path(CURSOR)).unwrap();
    nix::unistd::mkfifo(&bed.path(CURSOR), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(told(&bed).0, 1, "a pipe that nobody writes to");
    fs::remove_file(bed.path(CURSOR)).unwrap();
    fs::create_dir(bed.path(CURSOR)).unwrap();
    assert_eq!(told(&bed).0, 1, "a folder");
    fs::remove_dir(bed.path(CURSOR)).unwrap();
    bed.write(CURSOR, "{}");
    fs::set_permissions(bed.path(CURSOR), fs::Permissions::from_mode(0o0)).unwrap();
    let output = bed.run_unprivileged("scan");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("it can't be read: Permission denied"), "{text}");
    fs::set_permissions(bed.path(CURSOR), fs::Permissions::from_mode(0o600)).unwrap();
    let extensions = ".gemini/extensions";
    fs::create_dir_all(bed.path(extensions)).unwrap();
    fs::set_permissions(bed.path(extensions), fs::Permissions::from_mode(0o0)).unwrap();
    let output = bed.run_unprivileged("scan");
    fs::set_permissions(bed.path(extensions), fs::Permissions::from_mode(0o700)).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.code() == Some(1) && text.contains("Permission denied"), "{text}");
    let file = fs::File::create(bed.path(CURSOR)).unwrap();
    file.set_len(65 * 1024 * 1024).unwrap();
    assert_eq!(told(&bed).0, 1, "a huge file");
}

#[test]
fn root_says_of_a_user_s_home_what_that_user_gets() {
    use std::os::unix::fs::MetadataExt as _;

    const USER: u32 = 12_345;
    let is_open = |path: &std::path::Path| fs::metadata(path).unwrap().mode() & 0o005 == 0o005;
    if !nix::unistd::geteuid().is_root() || !std::path::Path::new(SMCP).ancestors().all(is_open) {
        return;
    }
    let bed = bed();
    let give = |name: &str| {
        let owner = USER.to_string();
        assert!(
            std::process::Command::new("chown").args(["-hR", &owner]).arg(bed.path(name)).status().unwrap().success()
        );
    };
    bed.write(CURSOR, cursor(&[("fine", &format!("{SMCP} run acme/good@1.0.0"))]));
    give("");
    for _ in 0..2 {
        let ran = bed.run("--json scan").succeeds();
        let document: Value = serde_json::from_str(&ran.raw).unwrap();
        assert_eq!(document["servers"][0]["policies_today"]["state"], "allowed", "{ran}");
        assert_eq!(document["files"][0]["exposure"], Value::Array(Vec::new()), "{ran}");
        assert!(ran.stderr.contains("what that user gets") && !ran.to_string().contains("chown"), "{ran}");
        let of_others = std::process::Command::new("find").arg(bed.path("")).args(["!", "-user", "12345"]).output();
        assert_eq!(String::from_utf8(of_others.unwrap().stdout).unwrap(), "", "the user could not change it any more");
    }
    // What a third user could change is told as ever, and what the user may not read is not known.
    std::os::unix::fs::chown(bed.path(CURSOR), Some(4242), None).unwrap();
    assert!(bed.run("scan").stdout.contains("it belongs to another user (uid 4242)"));
    give(CURSOR);
    std::os::unix::fs::chown(bed.path(".mcp/config.yaml"), Some(4242), None).unwrap();
    let ran = bed.run("scan");
    assert!(ran.stdout.contains("is refused today") && !ran.stdout.contains("chown 0 "), "{ran}");
    // Root changes nothing for a user: the file would be root's.
    give(".mcp");
    bed.publish(&Package::shell("npm/scope.x@1.0.0", "true").good());
    bed.write(CURSOR, cursor(&[("x", "npx @scope/x")]));
    give("");
    let refused = bed.run("scan --wrap --yes --registry registry");
    assert!(refused.code != 0 && !bed.read(CURSOR).contains("smcp"), "{refused}");
}
