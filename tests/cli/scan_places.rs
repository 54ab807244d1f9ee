//! `smcp scan`: in which folders the files of a project are.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::bed::TestBed;

/// The names of the servers that are told in a folder of the bed, which has a home of its own.
fn told(bed: &TestBed, folder: &str, options: &str) -> Vec<String> {
    let home = bed.path("home");
    let ran = {
        let mut smcp = bed.smcp(&format!("--json scan {options}")).env("HOME", home);
        smcp.command.current_dir(bed.path(folder));
        smcp.run()
    };
    let document: Value = serde_json::from_str(&ran.raw).unwrap();
    let mut names: Vec<_> = document["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|server| format!("{} {}", server["client"].as_str().unwrap(), server["name"].as_str().unwrap()))
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_not_there_is_no_clean_result() {
    let bed = TestBed::new();
    bed.write("file", "");
    bed.run("scan --dir nowhere").refuses(1, &["while reading --dir nowhere: No such file"]);
    bed.run("scan --dir . --dir file").refuses(1, &["while reading --dir file: Not a directory"]);
    bed.run("scan --dir .").succeeds();
    for home in ["", "home", "./"] {
        let ran = bed.smcp("scan").env("HOME", home).run();
        ran.refuses(1, &["HOME is not an absolute path, so the files of clients can't be found"]);
    }
    bed.smcp("scan").without_env("HOME").run().refuses(1, &["HOME is not an absolute path"]);
}

#[test]
fn agents_are_read_in_every_folder_below_theirs() {
    let bed = TestBed::new();
    fs::create_dir_all(bed.path("home")).unwrap();
    let agent = |name: &str| format!("---\nmcpServers: [{name}: {{command: x}}]\n---\n");
    bed.write("over/.claude/agents/a.md", agent("a"));
    bed.write("over/root/.claude/agents/b/c/d.md", agent("d"));
    bed.write("over/root/.claude/agents/b/e.txt", agent("e"));
    bed.write("shared/f.md", agent("f"));
    symlink("../../../../shared", bed.path("over/root/.claude/agents/linked")).unwrap();
    bed.write("moved/agents/g.md", agent("g"));
    bed.write("over/root/.codex/agents/h/i.toml", "[mcp_servers.i]\ncommand = 'x'\n");
    assert_eq!(told(&bed, "over/root", ""), ["claude-code a", "claude-code d", "claude-code f", "codex i"]);
    let moved = bed.path("moved");
    let ran = bed.smcp("--json scan").env("CLAUDE_CONFIG_DIR", moved.to_str().unwrap()).run();
    assert!(ran.raw.contains("\"name\":\"g\""), "{ran}");
    // Links in a circle come to an end, and what is behind them is not said to be known.
    symlink(".", bed.path("over/root/.claude/agents/b/again")).unwrap();
    let mut smcp = bed.smcp("scan").env("HOME", bed.path("home"));
    smcp.command.current_dir(bed.path("over/root"));
    let ran = smcp.run().exits(1);
    assert!(ran.stdout.contains("can't be read"), "{ran}");
}

#[test]
fn the_files_of_a_project_are_those_up_to_where_its_client_looks() {
    let bed = TestBed::new();
    fs::create_dir_all(bed.path("home")).unwrap();
    for (folder, at) in [("over", "over"), ("root", "over/root"), ("part", "over/root/src/part")] {
        let json = |key: &str| format!("{{\"{key}\": {{\"{folder}\": {{\"command\": \"x\"}}}}}}");
        bed.write(&format!("{at}/.mcp.json"), json("mcpServers"));
        bed.write(&format!("{at}/.cursor/mcp.json"), json("mcpServers"));
        bed.write(&format!("{at}/.vscode/mcp.json"), json("servers"));
        bed.write(&format!("{at}/opencode.json"), json("mcp"));
        bed.write(&format!("{at}/.codex/config.toml"), format!("[mcp_servers.{folder}]\ncommand = 'x'\n"));
    }
    let all = ["claude-code", "codex", "cursor", "opencode", "vscode"];
    let of = |names: &[&str], clients: &[&str]| -> Vec<String> {
        clients.iter().flat_map(|client| names.iter().map(move |name| format!("{client} {name}"))).collect()
    };
    let sorted = |parts: [Vec<String>; 2]| {
        let mut names = parts.concat();
        names.sort();
        names
    };
    // Outside a repository some look everywhere above, and the others in the folder alone.
    let part = "over/root/src/part";
    let climb = of(&["over", "part", "root"], &["claude-code", "opencode"]);
    assert_eq!(told(&bed, part, ""), sorted([climb, of(&["part"], &["codex", "cursor", "vscode"])]));
    // In one, Claude Code alone looks further up than its root. That of a worktree has a file.
    for is_worktree in [false, true] {
        let git = bed.path("over/root/.git");
        let _ = fs::remove_dir(&git);
        if is_worktree {
            fs::write(&git, "gitdir: x").unwrap()
        } else {
            fs::create_dir(&git).unwrap()
        }
        let inside = sorted([of(&["part", "root"], &all), of(&["over"], &["claude-code"])]);
        assert_eq!(told(&bed, part, ""), inside);
        assert_eq!(told(&bed, "home", &format!("--dir {}", bed.path(part).display())), inside);
        let root = sorted([of(&["root"], &all), of(&["over"], &["claude-code"])]);
        assert_eq!(told(&bed, "over/root/src", ""), root);
        assert_eq!(told(&bed, part, "--dir ../.."), root, "nothing of the folder before `..`");
    }
}
