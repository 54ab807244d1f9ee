//! `smcp data`: what servers keep between runs, listed and removed.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::fs::symlink;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";
const OTHER: &str = "acme/other@1.0.0";
/// Adds a line to its file, and says how many there are; then goes on until its input ends.
const KEEPS: &str = "echo line >> $XDG_DATA_HOME/kept; wc -l < $XDG_DATA_HOME/kept; cat";

/// A home with two packages whose manifests ask for nothing, and whose servers count their runs.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    for reference in [TOOL, OTHER] {
        publish(&bed, "registry", reference);
    }
    bed
}

fn publish(bed: &TestBed, registry: &str, reference: &str) {
    let package = Package::shell(reference, KEEPS).manifest(|manifest| manifest["permissions"] = json!({})).good();
    bed.try_publish_in(registry, &package).succeeds();
}

#[track_caller]
fn runs(bed: &TestBed, line: &str, count: usize) {
    let ran = bed.run(&format!("run {line}")).succeeds();
    assert_eq!(ran.stdout.trim(), count.to_string(), "{ran}");
}

fn entries(bed: &TestBed) -> Vec<Value> {
    bed.run("data ls --json").succeeds().silent().document()["entries"].as_array().unwrap().clone()
}

#[test]
fn what_a_server_keeps_is_there_at_its_next_run_until_it_is_removed() {
    let bed = bed();
    assert_eq!(bed.run("data ls").succeeds().stdout, "0 packages, 0 B in ~/.mcp/data\n");
    bed.run("data rm --all").succeeds().says(&["nothing was removed"]);
    runs(&bed, TOOL, 1);
    runs(&bed, TOOL, 2);
    runs(&bed, OTHER, 1);

    let found = entries(&bed);
    let packages: Vec<&str> = found.iter().map(|entry| entry["package"].as_str().unwrap()).collect();
    assert_eq!(packages, ["acme/other", "acme/tool"]);
    for entry in &found {
        assert_eq!(entry["registry"], bed.path("registry").to_str().unwrap(), "{entry}");
        assert_eq!((&entry["files"], &entry["in_use"], &entry["partial"]), (&1.into(), &false.into(), &false.into()));
        assert!(entry["size"].as_u64().unwrap() >= 4096, "{entry}");
        let folder = entry["folder"].as_str().unwrap().strip_prefix("~/").unwrap().to_owned();
        assert!(bed.has(&format!("{folder}/data/kept")), "{folder}");
    }
    let shown = bed.run("data ls").succeeds().silent().stdout;
    assert!(shown.starts_with("PACKAGE ") && shown.contains("\nacme/tool  "), "{shown}");
    assert!(shown.contains("\n2 packages, "), "{shown}");

    bed.run("data rm acme/tool acme/tool").succeeds().says(&["kept", "acme/tool", "freed"]);
    runs(&bed, TOOL, 1);
    runs(&bed, OTHER, 2);
    let removed = bed.run("data rm --all --json").succeeds().document();
    assert_eq!((removed["removed"].as_array().unwrap().len(), &removed["in_use"]), (2, &json!([])));
    assert_eq!(entries(&bed).len(), 0);
}

#[test]
fn nothing_is_removed_when_a_name_does_not_say_whose() {
    let bed = bed();
    bed.run("data rm acme/tool").refuses(1, &["`acme/tool` keeps nothing", "smcp data ls"]);
    publish(&bed, "second", TOOL);
    runs(&bed, TOOL, 1);
    runs(&bed, &format!("--registry second {TOOL}"), 1);
    bed.run("data rm acme/tool").refuses(1, &["several registries", "nothing was removed", "second"]);
    bed.run("data rm acme/tool acme/none").refuses(1, &["acme/"]);
    assert_eq!(entries(&bed).len(), 2);
    bed.run("data rm acme/none --registry second").refuses(1, &["keeps nothing that is from", "second"]);
    bed.run("data rm acme/tool --registry second").succeeds();
    runs(&bed, TOOL, 2);
    for (line, words) in
        [("data rm", "required"), ("data rm --all acme/tool", "cannot be used with"), ("data rm ../x", "ORG/NAME")]
    {
        bed.run(line).refuses(1, &[words]);
    }
}

#[test]
fn what_a_running_server_keeps_stays() {
    let bed = bed();
    let mut server = bed.smcp(&format!("run {TOOL}")).start();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "1");
    assert_eq!(entries(&bed)[0]["in_use"], true);
    bed.run("data rm acme/tool").exits(1).says(&["nothing was removed", "that of acme/tool stays: its server runs"]);
    server.stdin.take().unwrap().flush().unwrap();
    assert!(server.wait().unwrap().success());
    runs(&bed, TOOL, 2);
    bed.run("data rm acme/tool").succeeds();
}

#[test]
fn a_servers_folder_may_hold_anything() {
    let bed = bed();
    runs(&bed, TOOL, 1);
    let folder = entries(&bed)[0]["folder"].as_str().unwrap().strip_prefix("~/").unwrap().to_owned();
    bed.write("mine", vec![b'x'; 1 << 20]);
    symlink(bed.path("mine"), bed.path(&folder).join("link")).unwrap();
    symlink(bed.path(""), bed.path(&folder).join("home")).unwrap();
    symlink(".", bed.path(&folder).join("loop")).unwrap();
    let entry = &entries(&bed)[0];
    assert_eq!(entry["files"], 4, "links are no way to elsewhere: {entry}");
    assert!(entry["size"].as_u64().unwrap() < 1 << 20, "{entry}");
    bed.run("data rm acme/tool").succeeds();
    assert_eq!(bed.read("mine").len(), 1 << 20);

    let data = bed.path(".mcp/data");
    let mode = |mode| std::fs::set_permissions(&data, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o777);
    let open =
        bed.run("data ls").refuses(1, &["is not safe for what servers keep: others may write to it", "chmod go-w"]);
    assert!(!open.stderr.contains("--cache-dir"), "it has one place: {open}");
    mode(0o700);

    // What smcp did not make is not looked into, and a link in its place is refused.
    bed.write(".mcp/data/notes/acme/tool/file", "mine");
    assert_eq!(entries(&bed).len(), 0);
    runs(&bed, OTHER, 1);
    let folder = entries(&bed)[0]["folder"].as_str().unwrap().strip_prefix("~/").unwrap().to_owned();
    let of_org = bed.path(&folder).parent().unwrap().to_path_buf();
    std::fs::rename(&of_org, bed.path("elsewhere")).unwrap();
    symlink(bed.path("elsewhere"), &of_org).unwrap();
    bed.run("data rm acme/other").refuses(1, &["is a link, and links are not followed"]);
    assert!(bed.has("elsewhere/other/data/kept"));
}

/// A server owns its folder, and can close it.
#[test]
fn a_folder_that_its_server_has_closed_is_found_and_removed() {
    let bed = bed();
    runs(&bed, TOOL, 1);
    let folder = entries(&bed)[0]["folder"].as_str().unwrap().strip_prefix("~/").unwrap().to_owned();
    let close = || std::fs::set_permissions(bed.path(&folder), PermissionsExt::from_mode(0o000)).unwrap();
    close();
    let output = bed.run_unprivileged("data ls");
    assert!(String::from_utf8_lossy(&output.stdout).contains("\nacme/tool  "), "{output:?}");
    close();
    assert_eq!(bed.run_unprivileged(&format!("run {TOOL}")).stdout, b"2\n", "and its server has it again");
    close();
    assert!(bed.run_unprivileged("data rm acme/tool").status.success());
    assert!(!bed.has(&folder));
}
