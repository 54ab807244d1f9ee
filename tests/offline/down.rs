//! The registry is gone: what still runs, for how long, and the messages.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::bed::corrupt;
use smcp_model::digest::Digest;

const GOOD: &str = "acme/tool@1.0.0";

/// A bed with a registry that has a package, which prints a line.
fn bed(config: &str) -> TestBed {
    let bed = TestBed::new();
    bed.configure(config);
    bed.publish(&Package::shell(GOOD, "echo it runs").good());
    bed
}

/// Takes the registry away.
fn down(bed: &TestBed) {
    fs::rename(bed.path("registry"), bed.path("elsewhere")).unwrap();
}

fn up(bed: &TestBed) {
    fs::rename(bed.path("elsewhere"), bed.path("registry")).unwrap();
}

/// Returns the paths of the answers in the cache.
fn kept(bed: &TestBed) -> Vec<PathBuf> {
    let folders = bed.list(".mcp/cache/resolutions");
    let of = |folder: &String| {
        let folder = format!(".mcp/cache/resolutions/{folder}");
        bed.list(&folder).into_iter().map(|name| bed.path(&folder).join(name)).collect::<Vec<_>>()
    };
    folders.iter().flat_map(of).collect()
}

/// Makes the only stored answer so many seconds old; a negative age is in the future.
fn aged(bed: &TestBed, seconds: i64) {
    let path = kept(bed).pop().unwrap();
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    document["resolved_at"] = (i64::try_from(now).unwrap() - seconds).into();
    fs::write(path, document.to_string()).unwrap();
}

fn codes(document: &Value) -> Vec<&str> {
    document["notices"].as_array().unwrap().iter().map(|notice| notice["code"].as_str().unwrap()).collect()
}

#[test]
fn what_was_pulled_runs_without_the_registry() {
    let bed = bed("");
    bed.run(&format!("pull {GOOD}")).succeeds();
    let online = bed.run(&format!("run --dry-run --json {GOOD}")).succeeds().document();
    assert_eq!(codes(&online), [""; 0]);
    down(&bed);
    aged(&bed, 7_200);
    let told = ["the facts are from the cache and 2h", "`max_facts_age` allows 1day", "No such file or directory"];
    bed.run(&format!("run {GOOD}")).succeeds().prints("it runs\n").says(&told);
    let digest = online["facts"]["bundle_digest"].as_str().unwrap().to_owned();
    for line in [
        format!("run --dry-run --json {GOOD}"),
        format!("policy check --json {GOOD}"),
        format!("run --dry-run --json acme/tool@{digest}"),
    ] {
        let mut offline = bed.run(&line).succeeds().document();
        assert_eq!(codes(&offline), ["facts-from-cache"], "{line}");
        assert_eq!((&offline["facts"], &offline["package"]), (&online["facts"], &online["package"]), "{line}");
        offline["notices"] = online["notices"].clone();
        assert_eq!(offline["decision"], online["decision"], "{line}");
    }
    let info = bed.run(&format!("info --json {GOOD}")).succeeds().silent().document();
    assert_eq!(codes(&info), ["facts-from-cache"]);
    bed.run(&format!("info {GOOD}")).succeeds().says(&told);
    // A pull always asks the registry.
    bed.run(&format!("pull {GOOD}")).refuses(2, &["can't open it"]);
}

#[test]
fn a_run_is_enough_to_run_again() {
    let bed = bed("");
    bed.run(&format!("run {GOOD}")).succeeds().silent();
    down(&bed);
    bed.run(&format!("run {GOOD}")).succeeds().prints("it runs\n");
    up(&bed);
    bed.run(&format!("run {GOOD}")).succeeds().silent();
}

#[test]
fn which_is_the_latest_is_never_recalled() {
    let bed = bed("");
    bed.run("run acme/tool@latest").succeeds();
    down(&bed);
    let words = ["the cache never answers that", "can't open it", "name a version that was used before: 1.0.0"];
    bed.run("run acme/tool@latest").refuses(2, &words);
    bed.run("policy check acme/other@latest").exits(2);
}

#[test]
fn facts_grow_too_old() {
    let cases = [
        ("", 86_300, 0),
        ("", 86_500, 2),
        ("max_facts_age: 60s\n", 50, 0),
        ("max_facts_age: 60s\n", 70, 2),
        ("max_facts_age: 30d\n", 29 * 86_400, 0),
        // A clock that was corrected by seconds.
        ("max_facts_age: 60s\n", -5, 0),
        ("", -50, 0),
        // The answer is from the future, so a clock is wrong, and its age is unknown.
        ("max_facts_age: 30d\n", -600, 2),
    ];
    for (config, age, code) in cases {
        let bed = bed(config);
        bed.run(&format!("pull {GOOD}")).succeeds();
        down(&bed);
        aged(&bed, age);
        let ran = bed.run(&format!("policy check --json {GOOD}")).exits(code);
        if code == 2 && age > 0 {
            let document = ran.document();
            let message = document["refusal"]["message"].as_str().unwrap().to_owned();
            assert_eq!(document["refusal"]["code"], "facts-too-old", "{message}");
            for words in ["the registry can't be asked", " old, more than the ", "max_facts_age", "can't open it"] {
                assert!(message.contains(words), "{message}");
            }
        }
    }
}

/// If the facts are from the future, the message names the clock as well as the registry.
#[test]
#[cfg(target_os = "linux")]
fn a_clock_that_was_set_back_is_asked_about() {
    let bed = bed("");
    bed.run(&format!("pull {GOOD}")).succeeds();
    down(&bed);
    let digest = serde_json::from_slice::<Value>(&fs::read(kept(&bed).pop().unwrap()).unwrap()).unwrap();
    let digest =
        digest["bundle_digest"].as_str().or(digest["resolved"]["bundle"]["digest"].as_str()).unwrap().to_owned();
    let ask = |reference: &str, seconds: i64| {
        let [library, later] = crate::shifted::later(seconds);
        let line = format!("policy check {reference}");
        bed.smcp(&line).env(library.0, library.1).env(later.0, later.1).run()
    };
    for reference in [GOOD.to_owned(), format!("acme/tool@{digest}"), "acme/tool@latest".to_owned()] {
        let ran = ask(&reference, -3_600).exits(2);
        let told =
            "the cache knows `acme/tool@1.0.0`, but its facts are 1h in the future: is this machine's clock right?";
        assert!(ran.stdout.contains(told) && ran.stdout.contains("can't open it"), "{reference}: {ran}");
    }
    ask(GOOD, -5).succeeds();
    ask(GOOD, -3_600).exits(2);
    ask("acme/other@1.0.0", -3_600).exits(2);
}

/// Facts from the cache that are young enough count as much as fresh ones.
#[test]
fn facts_from_the_cache_put_no_warning_before_the_model() {
    let bed = TestBed::new();
    bed.configure("max_facts_age: 30d\n");
    for (reference, score) in [("acme/good@1.0.0", 95), ("acme/poor@1.0.0", 35)] {
        bed.publish(&Package::greeter(reference).facts("official", 3, score));
        bed.run(&format!("pull {reference}")).succeeds();
    }
    down(&bed);
    let session = fs::read(format!("{ROOT}/examples/quickstart/session.jsonl")).unwrap();
    for (reference, warned) in [("acme/good@1.0.0", false), ("acme/poor@1.0.0", true)] {
        let ran = bed.smcp(&format!("run --trust {reference}")).input(session.clone()).run().succeeds();
        assert_eq!(ran.stdout.contains("[SECURITY WARNING"), warned, "{ran}");
        let ran = ran.says(&["the facts are from the cache"]);
        assert_eq!(ran.stdout.contains("from the cache"), warned, "where there is a warning, it has that too: {ran}");
        let log = bed.read(".mcp/audit.jsonl");
        let mut records = log.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let decision = records.find(|record| record["event"] == "decision").unwrap();
        assert_eq!(codes(&decision["decision"])[0], "facts-from-cache", "{decision:#}");
    }
}

#[test]
fn cached_is_never_approved() {
    let bed = bed("policy:\n  min_score: 80\n");
    bed.publish(&Package::shell("acme/poor@1.0.0", "touch \"$HOME/proof/started\"").facts("community", 0, 20));
    bed.run("pull acme/poor@1.0.0").succeeds();
    down(&bed);
    bed.run("run acme/poor@1.0.0").refuses(4, &["below minimum required score 80", "the facts are from the cache"]);
    bed.run("run --trust acme/poor@1.0.0").exits(4);
    assert!(!bed.has("proof/started"));
}

#[test]
fn what_a_registry_takes_back_is_not_recalled() {
    for (status, code) in [("revoked", 4), ("quarantined", 4)] {
        let bed = bed("");
        bed.run(&format!("run {GOOD}")).succeeds();
        bed.publish(&Package::shell(GOOD, "echo it runs").good().option("--status", status));
        bed.run(&format!("policy check {GOOD}")).exits(code);
        down(&bed);
        // The message of a refusal has to say that its facts are old.
        bed.run(&format!("run {GOOD}")).refuses(code, &[status, "the facts are from the cache"]);
        let document = bed.run(&format!("policy check --json {GOOD}")).exits(code).document();
        assert_eq!(codes(&document), ["facts-from-cache"]);
        let log = bed.read(".mcp/audit.jsonl");
        let record: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
        assert_eq!(codes(&record["decision"]), ["facts-from-cache"]);
    }
    let bed = bed("");
    bed.run(&format!("run {GOOD}")).succeeds();
    fs::remove_file(bed.path("registry/packages/acme/tool/1.0.0.json")).unwrap();
    bed.run(&format!("run {GOOD}")).refuses(2, &["there is no package"]);
    down(&bed);
    bed.run(&format!("run {GOOD}")).refuses(2, &["can't open it"]);
}

#[test]
fn the_bytes_must_be_there_and_right() {
    let bed = bed("");
    let digest = |which: &str| {
        let document = bed.run(&format!("info --json {GOOD}")).succeeds().document();
        document["facts"][which].as_str().unwrap().replace(':', "-")
    };
    let blob = bed.path(".mcp/cache/blobs").join(digest("bundle_digest"));
    down(&bed);
    corrupt(&blob);
    bed.run(&format!("run {GOOD}")).refuses(2, &["does not have its bundle", "can't open it"]);
    assert!(!blob.exists(), "what is corrupt is dropped");
    bed.run(&format!("run {GOOD}")).refuses(2, &["does not have its bundle"]);
    up(&bed);
    bed.run(&format!("run {GOOD}")).succeeds().prints("it runs\n");
}

#[test]
fn a_registry_is_recalled_under_its_own_name_alone() {
    let bed = bed("");
    bed.run(&format!("run {GOOD}")).succeeds();
    bed.run(&format!("run --registry other {GOOD}")).refuses(2, &["/other`: can't open it"]);
    // A copy of a registry at another place is another registry.
    down(&bed);
    bed.run(&format!("run --registry other {GOOD}")).refuses(2, &["/other`: can't open it"]);
    bed.run(&format!("run {GOOD}")).succeeds();
}

#[test]
fn what_others_could_have_written_is_not_believed() {
    use std::os::unix::fs::PermissionsExt as _;
    let bed = bed("");
    bed.run(&format!("run {GOOD}")).succeeds();
    down(&bed);
    let [path] = <[PathBuf; 1]>::try_from(kept(&bed)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let good = fs::read_to_string(&path).unwrap();
    for bad in [good.replace("acme/tool", "acme/other"), good[..40].to_owned(), String::new()] {
        fs::write(&path, bad).unwrap();
        bed.run(&format!("run {GOOD}")).refuses(2, &["can't open it"]);
    }
    fs::write(&path, good).unwrap();
    bed.run(&format!("run {GOOD}")).succeeds();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
    bed.run(&format!("run {GOOD}")).refuses(2, &["can't open it"]);
}

#[test]
fn an_answer_is_written_once_a_minute() {
    use std::os::unix::fs::MetadataExt as _;
    let bed = bed("");
    let inode = || fs::metadata(kept(&bed).pop().unwrap()).unwrap().ino();
    bed.run(&format!("run {GOOD}")).succeeds();
    let first = inode();
    bed.run(&format!("run {GOOD}")).succeeds();
    assert_eq!(inode(), first);
    aged(&bed, 61);
    bed.run(&format!("run {GOOD}")).succeeds();
    assert_ne!(inode(), first);
}

#[test]
fn a_registry_that_keeps_silent_does_not_use_up_the_time() {
    let bed = bed("");
    // The system accepts connections, and no process ever answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    bed.run(&format!("run {GOOD}")).succeeds();
    let path = kept(&bed).pop().unwrap();
    let mut document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    document["registry"] = url.clone().into();
    let place = [b"url\0acme/tool\0", url.as_bytes()].concat();
    let folder = bed.path(".mcp/cache/resolutions").join(Digest::of(&place).hex());
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join(path.file_name().unwrap()), document.to_string()).unwrap();
    let line = format!("--registry {url} run --timeout 2s {GOOD}");
    bed.run(&line).succeeds().prints("it runs\n").says(&["can't wait longer for its answer: it took longer than"]);
    // With an empty cache, the registry may use the whole time.
    fs::remove_dir_all(&folder).unwrap();
    bed.run(&line).refuses(5, &["it took longer than 2s"]);
}

/// The same name, version and bytes from two registries: each has its own cache entry, judgement and record.
#[test]
fn the_same_package_from_two_registries_is_two_packages() {
    let bed = TestBed::new();
    let home = bed.path("");
    for (registry, origin) in [("one", "official"), ("two", "community")] {
        bed.publish(&Package::shell(GOOD, "echo it runs").facts(origin, 3, 95));
        fs::rename(bed.path("registry"), bed.path(registry)).unwrap();
    }
    bed.write(".mcp/config.yaml", "policy: {allowed_origins: [official]}\n");
    let pull = |registry: &str| bed.run(&format!("--registry {registry} pull {GOOD}")).succeeds();
    pull("one");
    pull("two");
    assert_eq!(kept(&bed).len(), 2);
    let listed = bed.run("cache ls --json").succeeds().document();
    let bundle = listed["entries"].as_array().unwrap().iter().find(|entry| entry["kind"] == "bundle").unwrap().clone();
    assert_eq!(bundle["packages"].as_array().unwrap().len(), 2, "one file, two packages: {bundle}");
    fs::rename(bed.path("one"), bed.path("gone-one")).unwrap();
    fs::rename(bed.path("two"), bed.path("gone-two")).unwrap();
    for (registry, code) in [("one", 0), ("two", 4), ("one", 0)] {
        let ran = bed.run(&format!("--registry {registry} run {GOOD}")).exits(code);
        assert_eq!(ran.stdout.is_empty(), code != 0, "{ran}");
        let log = bed.read(".mcp/audit.jsonl");
        let record: Value = log
            .lines()
            .rev()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .find(|it| it["event"] == "decision")
            .unwrap();
        assert_eq!(record["request"]["subject"]["registry"], home.join(registry).to_str().unwrap(), "{record:#}");
    }
}
