//! `smcp scan`: in which folders the files of a project are.

use std::fs;

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
