//! Kept trees: what was unpacked once is started from again, and only if it is still what was unpacked.

use std::fs;
use std::fs::File;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::ChildStdout;

use crate::bed::Package;
use crate::bed::TestBed;

const TOOL: &str = "acme/tool@1.0.0";
const RUN: &str = "run acme/tool@1.0.0";
const RUNS: &str = ".mcp/cache/runs";
const TREES: &str = ".mcp/cache/trees";
/// What is said of a tree that is not what was unpacked.
const CHANGED: &str =
    "note: the unpacked bundle of an earlier start was changed and is not used, it is unpacked again: ";

fn bed(package: Package) -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&package.good());
    bed
}

/// The only tree.
fn tree(bed: &TestBed) -> PathBuf {
    let names = bed.list(TREES);
    let tree = names.first().cloned().unwrap_or_default();
    assert_eq!(names, [tree.clone(), format!("{tree}.index")]);
    bed.path(TREES).join(tree)
}

/// Writes to a file of a tree, and gives it and its folder back what they had: mode, length, time.
fn tamper(file: &Path, text: &str) {
    let (folder, before) = (file.parent().unwrap(), fs::metadata(file).unwrap());
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(file, text).unwrap();
    assert_eq!(before.len(), text.len() as u64);
    File::open(file).unwrap().set_modified(before.modified().unwrap()).unwrap();
    fs::set_permissions(file, before.permissions()).unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o500)).unwrap();
}

fn script(text: &str) -> Package {
    Package::greeter(TOOL).entrypoint(serde_json::json!({"command": ["sh", "lib/say.sh"]})).file(
        "lib/say.sh",
        text,
        0o644,
    )
}

/// A start whose server has said `ready` and waits for the end of its input.
fn waiting(bed: &TestBed) -> (Child, BufReader<ChildStdout>, String) {
    let mut child = bed.smcp(RUN).start();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut said = String::new();
    output.read_line(&mut said).unwrap();
    (child, output, said)
}

#[test]
fn a_bundle_is_unpacked_once() {
    let bed = bed(script("pwd"));
    let first = bed.run(RUN).succeeds().silent();
    let tree = tree(&bed);
    assert_eq!(first.raw.trim(), tree.display().to_string());
    let inode = fs::metadata(tree.join("server.py")).unwrap().ino();
    for _ in 0..2 {
        assert_eq!(bed.run(RUN).succeeds().silent().raw, first.raw);
    }
    assert_eq!(fs::metadata(tree.join("server.py")).unwrap().ino(), inode);
    assert_eq!(bed.list(RUNS), [""; 0]);
}

#[test]
fn what_was_changed_never_runs() {
    let bed = bed(script("echo good"));
    bed.run(RUN).succeeds().prints("good\n").silent();
    let say = tree(&bed).join("lib/say.sh");
    tamper(&say, "echo evil");
    let ran = bed.run(RUN).succeeds().prints("good\n");
    assert_eq!(ran.stderr, format!("{CHANGED}`lib/say.sh`: it has other contents\n"));
    bed.run(RUN).succeeds().prints("good\n").silent();

    // The index of another key, as of a cache that somebody else made.
    tamper(&say, "echo evil");
    fs::remove_file(bed.path(".mcp/compiled.key")).unwrap();
    bed.run(RUN).succeeds().prints("good\n");
    bed.run(RUN).succeeds().prints("good\n").silent();

    // Only the index was changed.
    let index = format!("{}.index", tree(&bed).display());
    crate::bed::corrupt(Path::new(&index));
    bed.run(RUN).succeeds().prints("good\n").says(&[CHANGED, "its index is not the one that smcp wrote"]);
    bed.run(RUN).succeeds().prints("good\n").silent();
}

#[test]
fn starts_at_the_same_time_get_along() {
    let bed = bed(script("echo ready $(pwd); cat; test -r server.py && echo whole"));
    let many: Vec<_> = (0..4).map(|_| bed.smcp(RUN).start()).collect();
    let mut said: Vec<_> = many
        .into_iter()
        .map(|mut child| {
            let mut output = BufReader::new(child.stdout.take().unwrap());
            let mut line = String::new();
            output.read_line(&mut line).unwrap();
            assert!(line.starts_with("ready "), "{line}");
            (child, output, line)
        })
        .collect();
    let tree = tree(&bed).display().to_string();
    assert!(said.iter().any(|(.., line)| line.trim().ends_with(&tree)), "one of them made it");
    for (child, output, _) in &mut said {
        drop(child.stdin.take());
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("whole\n", Some(0)));
    }
    assert_eq!(bed.list(RUNS), [""; 0], "those of the others are gone");
    assert!(bed.run(RUN).succeeds().silent().raw.contains(&tree));
}

#[test]
fn a_changed_tree_with_a_server_in_it_is_left_to_that_server() {
    let bed = bed(script("echo ready; cat; cat data").unknown().file("data", "one\n", 0o644));
    let (mut child, mut output, said) = waiting(&bed);
    assert_eq!(said, "ready\n");
    tamper(&tree(&bed).join("data"), "two\n");
    bed.run(RUN).succeeds().prints("ready\none\n").says(&[CHANGED, "`data`"]);
    assert_eq!((bed.list(RUNS), bed.list(TREES).len()), (vec![], 2));
    drop(child.stdin.take());
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!((rest.as_str(), child.wait().unwrap().code()), ("two\n", Some(0)), "nothing was taken from under it");
    bed.run(RUN).succeeds().prints("ready\none\n").says(&[CHANGED]);
    bed.run(RUN).succeeds().prints("ready\none\n").silent();
}

#[test]
fn nobody_takes_half_a_tree_for_a_whole_one() {
    /// Far longer to unpack than a signal takes to arrive; zeros, so that the bundle is small.
    const LONG: u64 = 256 * 1024 * 1024;
    let bed = TestBed::new();
    bed.configure("");
    bed.write("bundles/acme-tool-1.0.0/zeros", "");
    File::options().write(true).open(bed.path("bundles/acme-tool-1.0.0/zeros")).unwrap().set_len(LONG).unwrap();
    bed.publish(&script("wc -c < zeros").good());
    let mut child = bed.smcp(RUN).start();
    while bed.list(RUNS).is_empty() {
        assert_eq!(child.try_wait().unwrap(), None, "smcp ended early");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(bed.list(TREES), [""; 0]);
    bed.run(RUN).succeeds().prints(&format!("{LONG}\n")).silent();
    assert_eq!(bed.list(RUNS), [""; 0]);
    // As if the disk had lost the end of a file.
    let zeros = tree(&bed).join("zeros");
    fs::set_permissions(&zeros, fs::Permissions::from_mode(0o600)).unwrap();
    File::options().write(true).open(&zeros).unwrap().set_len(LONG - 1).unwrap();
    bed.run(RUN).succeeds().prints(&format!("{LONG}\n")).says(&[CHANGED, "`zeros`: "]);
}

#[test]
fn a_server_cant_write_beside_its_program_unless_its_manifest_says_so() {
    const WRITE: &str =
        "(echo x > memory.json) 2>&- && echo written || echo refused; rm -f server.py 2>&-; ls server.py";
    let bed = bed(script(WRITE));
    for _ in 0..2 {
        let output = bed.run_unprivileged(RUN);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "refused\nserver.py\n");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
    let bed = self::bed(script("pwd; echo x > memory.json && echo written").writable());
    for _ in 0..2 {
        let output = bed.run_unprivileged(RUN);
        let (said, told) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        let (place, rest) = said.split_once('\n').unwrap();
        assert!(place.starts_with(bed.path(RUNS).to_str().unwrap()) && rest == "written\n", "{said}");
        assert!(told.contains("the server wrote `memory.json` beside its program; it was removed with it"), "{told}");
        assert_eq!((bed.list(RUNS), bed.list(TREES)), (vec![], vec![]));
    }
}

#[test]
fn what_root_wrote_is_named_and_goes() {
    if !nix::unistd::Uid::effective().is_root() {
        return;
    }
    let bed = bed(script("test -e memory.json && echo old; echo x > memory.json").unknown());
    for _ in 0..2 {
        bed.run(RUN).succeeds().prints("").says(&["the server wrote `memory.json` beside its program"]);
        assert_eq!(bed.list(TREES), [""; 0], "nothing of it is there for the next start");
    }
    // Byte code goes, the tree stays.
    let bed =
        self::bed(script("test -e __pycache__ && echo old; mkdir __pycache__ && echo x > __pycache__/a.pyc").unknown());
    bed.run(RUN).succeeds().prints("").silent();
    let inode = fs::metadata(tree(&bed)).unwrap().ino();
    bed.run(RUN).succeeds().prints("").silent();
    assert_eq!(fs::metadata(tree(&bed)).unwrap().ino(), inode);
}

#[test]
fn the_cache_lists_trees_and_removes_them() {
    let bed = bed(script("echo ready; cat"));
    let (mut child, _output, _) = waiting(&bed);
    let listed = bed.run("cache ls").succeeds();
    let line = listed.stdout.lines().find(|line| line.contains(" tree ")).map(str::to_owned);
    assert!(line.is_some_and(|line| line.contains(TOOL)), "{listed}");
    bed.run("cache rm --all").exits(1).says(&["stays: a server that runs, or is about to, has it"]);
    tree(&bed);
    drop(child.stdin.take());
    child.wait().unwrap();
    let named = bed.run("cache rm acme/tool").succeeds();
    assert!(named.stderr.contains("  tree "), "{named}");
    assert_eq!(bed.list(TREES), [""; 0]);

    bed.run(RUN).succeeds();
    bed.run("cache gc --max-size 0B --dry-run").succeeds();
    tree(&bed);
    bed.run("cache gc --max-size 0B").succeeds();
    assert_eq!((bed.list(TREES), bed.list(".mcp/cache/blobs")), (vec![], vec![]));
}

#[test]
fn a_tree_without_its_bundle_is_garbage() {
    let bed = bed(script("echo good"));
    bed.run(RUN).succeeds();
    let bundle = tree(&bed).file_name().unwrap().to_str().unwrap().to_owned();
    fs::remove_file(bed.path(".mcp/cache/blobs").join(bundle)).unwrap();
    bed.write(".mcp/cache/trees/mine.txt", "weeks");
    bed.run("cache gc").succeeds();
    assert_eq!(bed.list(TREES), ["mine.txt"]);
}

#[test]
fn where_nothing_can_be_kept_every_start_unpacks() {
    let places = [
        ("the folder of runs is elsewhere", "runtime_dir: ~/elsewhere", "elsewhere/runs"),
        ("there is no key", "", RUNS),
    ];
    for (what, text, runs) in places {
        let bed = bed(script("pwd"));
        bed.configure(text);
        bed.run("pull acme/tool@1.0.0").succeeds();
        if text.is_empty() {
            fs::create_dir_all(bed.path(".mcp/compiled.key")).unwrap();
        }
        for _ in 0..2 {
            let ran = bed.run(RUN).succeeds().silent();
            assert!(ran.raw.starts_with(bed.path(runs).to_str().unwrap()), "{what}: {ran}");
            assert_eq!((bed.list(runs), bed.list(TREES)), (vec![], vec![]), "{what}");
        }
    }
}

#[test]
fn a_folder_of_trees_that_others_can_change_is_not_used() {
    let bed = bed(script("echo good"));
    bed.run(RUN).succeeds();
    fs::set_permissions(bed.path(TREES), fs::Permissions::from_mode(0o1777)).unwrap();
    bed.run(RUN).refuses(1, &["others may write to it", "cache/trees"]);
}
