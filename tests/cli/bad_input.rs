//! Invalid registries and packages: nothing starts.

use std::fs;
use std::path::PathBuf;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::bed::corrupt;

/// A bed with two versions of a package, which would leave a file behind.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    for version in ["1.0.0", "1.10.0"] {
        let script = format!("touch \"$HOME/proof/started\"; echo {version}");
        bed.publish(&Package::shell(&format!("acme/tool@{version}"), &script).good());
    }
    bed
}

/// Returns the path of the package's bundle or manifest in a store.
fn blob(bed: &TestBed, store: &str, which: &str, reference: &str) -> PathBuf {
    let document = bed.run(&format!("info --json {reference}")).document();
    let digest = document[which].as_str().or(document["facts"][which].as_str()).unwrap();
    bed.path(&format!("{store}/blobs/{}", digest.replace(':', "-")))
}

#[track_caller]
fn refuses(bed: &TestBed, reference: &str, code: i32, words: &[&str]) -> Ran {
    let ran = bed.run(&format!("run {reference}")).refuses(code, words);
    assert!(!bed.has("proof/started"), "{ran}");
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{ran}");
    ran
}

#[test]
fn a_changed_bundle_is_found_out() {
    let bed = bed();
    let bundle = blob(&bed, "registry", "bundle_digest", "acme/tool@1.0.0");
    fs::remove_dir_all(bed.path(".mcp/cache")).unwrap();
    corrupt(&bundle);
    let ran = refuses(&bed, "acme/tool@1.0.0", 3, &["the bundle of acme/tool@1.0.0 is not what its digest promises"]);
    insta::assert_snapshot!("corrupt_bundle", ran);
    let manifest = blob(&bed, "registry", "manifest_digest", "acme/tool@1.10.0");
    fs::remove_dir_all(bed.path(".mcp/cache")).unwrap();
    corrupt(&manifest);
    refuses(&bed, "acme/tool@1.10.0", 3, &["the manifest of acme/tool@1.10.0 is not what its digest promises"]);
}

#[test]
fn a_changed_file_in_the_cache_is_fetched_again() {
    let bed = bed();
    bed.run("run acme/tool@1.0.0").succeeds().prints("1.0.0\n");
    let cached = blob(&bed, ".mcp/cache", "bundle_digest", "acme/tool@1.0.0");
    let published = blob(&bed, "registry", "bundle_digest", "acme/tool@1.0.0");
    corrupt(&cached);
    bed.run("run acme/tool@1.0.0").succeeds().prints("1.0.0\n");
    assert_eq!(fs::read(&cached).unwrap(), fs::read(&published).unwrap(), "mended");
    fs::remove_file(bed.path("proof/started")).unwrap();
    corrupt(&cached);
    corrupt(&published);
    refuses(&bed, "acme/tool@1.0.0", 3, &["is not what its digest promises"]);
}

#[test]
fn a_changed_entry_of_the_registry_is_found_out() {
    let bed = bed();
    let name = "registry/packages/acme/tool/1.0.0.json";
    let good = bed.read(name);
    // The entry of one version, under the name of another version.
    bed.write(name, bed.read("registry/packages/acme/tool/1.10.0.json"));
    refuses(&bed, "acme/tool@1.0.0", 3, &["`1.10.0`", "`1.0.0`"]);
    let renamed = good.replace("acme/tool", "acme/other");
    let cases = [
        ("", "it is empty"),
        ("{", "EOF"),
        ("[]", "not valid"),
        (renamed.as_str(), "acme/other"),
        ("\u{fe}", "not valid"),
    ];
    for (text, says) in cases {
        bed.write(name, text);
        refuses(&bed, "acme/tool@1.0.0", 3, &[says]);
    }
    bed.write(name, "{\"nonsense\": true");
    insta::assert_snapshot!("corrupt_entry", bed.run("run acme/tool@1.0.0"));
    bed.write(name, good);
    bed.run("run acme/tool@1.0.0").succeeds();
}

#[test]
fn a_manifest_of_another_package_is_found_out() {
    let bed = bed();
    // An entry that leads to the bytes of another package, with correct digests.
    bed.publish(&Package::shell("acme/evil@1.0.0", "touch \"$HOME/proof/started\"").good());
    let evil = bed.read("registry/packages/acme/evil/1.0.0.json");
    bed.write("registry/packages/acme/tool/1.0.0.json", evil.replace("evil", "tool"));
    let ran = refuses(&bed, "acme/tool@1.0.0", 3, &["identity mismatch", "`acme/evil`", "`acme/tool`"]);
    insta::assert_snapshot!("another_identity", ran);
}

#[test]
fn what_is_missing_is_named_with_what_there_is() {
    let bed = bed();
    insta::assert_snapshot!("no_version", refuses(&bed, "acme/tool@3.0.0", 2, &["it has: 1.10.0, 1.0.0"]));
    insta::assert_snapshot!("no_package", refuses(&bed, "acme/tol@1.0.0", 2, &["did you mean acme/tool?"]));
    refuses(&bed, "other/thing@latest", 2, &["it has: acme/tool"]);
    refuses(&bed, &format!("acme/tool@sha256:{}", "0".repeat(64)), 2, &["it has: 1.10.0, 1.0.0"]);
    bed.write("empty/file", "");
    let ran = bed.run("run --registry empty acme/tool@1.0.0").refuses(2, &["it has no packages at all"]);
    assert!(!ran.stderr.contains('\t'));
    let cases = [
        ("gone", "registry `[HOME]/gone`: can't open it: No such file or directory"),
        ("empty/file", "registry `[HOME]/empty/file`: can't open it: Not a directory"),
        ("http://localhost:1", "registry `http://localhost:1` can't be reached"),
    ];
    for (registry, says) in cases {
        let ran = bed.run(&format!("run --registry {registry} acme/tool@1.0.0")).refuses(2, &[says]);
        // On some machines this name has two addresses.
        let shown = ran.to_string().replace("(at [::1]:1, 127.0.0.1:1)", "(at 127.0.0.1:1)");
        let shown = shown.replace("(at 127.0.0.1:1, [::1]:1)", "(at 127.0.0.1:1)");
        insta::assert_snapshot!(format!("registry_{}", registry.replace(['/', ':'], "_")), shown);
        let document =
            bed.run(&format!("policy check --json --registry {registry} acme/tool@1.0.0")).exits(2).document();
        let message = document["refusal"]["message"].as_str().unwrap();
        assert!(bed.redact(message).contains(says), "{message}");
    }
    bed.run("run --registry ftp://x acme/tool@1.0.0").refuses(1, &["`ftp://x` is not a registry"]);
}

#[test]
fn a_version_has_several_names() {
    let bed = bed();
    bed.run("run acme/tool@latest").succeeds().prints("1.10.0\n");
    let document = bed.run("info --json acme/tool@1.0.0").document();
    for which in ["manifest_digest", "bundle_digest"] {
        let digest = document[which].as_str().or(document["facts"][which].as_str()).unwrap();
        bed.run(&format!("run acme/tool@{digest}")).succeeds().prints("1.0.0\n");
    }
    bed.publish(&Package::shell("acme/draft@1.0.0", "true").good().option("--status", "draft"));
    refuses_latest(&bed);
}

#[track_caller]
fn refuses_latest(bed: &TestBed) {
    bed.run("run acme/draft@latest").refuses(2, &["`latest` is the highest SemVer with status `published`"]);
}

#[test]
fn a_bad_reference_shows_the_grammar() {
    let bed = bed();
    let short = format!("acme/tool@sha256:{}", "0".repeat(63));
    let upper = format!("acme/tool@sha256:{}", "A".repeat(64));
    let long = format!("acme/{}@1.0.0", "x".repeat(300));
    let cases = [
        "",
        "acme",
        "acme/tool",
        "acme/tool@",
        "@1.0.0",
        "/tool@1.0.0",
        "acme/@1.0.0",
        "acme/tool/x@1.0.0",
        "../x@1.0.0",
        "acme/..@1.0.0",
        "acme/tool@../../x",
        "acme/tool@1.0.0/..",
        "ACME/tool@1.0.0 ",
        "acme/tool@1.0.0\n",
        "acme/t\u{1b}[2J@1.0.0",
        "acme/tool@sha256:xyz",
        &short,
        &upper,
        &long,
        "https://x/acme/tool@1.0.0",
    ];
    for reference in cases {
        let ran = bed.smcp("run").args(&[reference]).run();
        let ran = ran.refuses(1, &["expected ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST"]);
        assert!(!ran.stderr.contains('\u{1b}'), "{reference:?}: {ran}");
    }
    insta::assert_snapshot!("bad_reference", bed.run("run acme/tool"));
    insta::assert_snapshot!(
        "bad_reference_json",
        bed.run("--json policy check acme/tool").exits(1).document_shown(&bed)
    );
}

#[test]
fn an_unusable_cache_is_named() {
    let bed = bed();
    bed.write("file", "");
    refuses_cache(&bed.run("run --cache-dir file acme/tool@1.0.0"));
    refuses_cache(&bed.run("run --cache-dir file/below acme/tool@1.0.0"));
    bed.smcp("--config .mcp/config.yaml --registry registry run acme/tool@1.0.0")
        .without_env("HOME")
        .run()
        .refuses(1, &["HOME"]);
}

#[track_caller]
fn refuses_cache(ran: &Ran) {
    assert!(ran.code == 1 && ran.stdout.is_empty() && ran.stderr.contains("cache"), "{ran}");
}

#[test]
fn files_that_the_command_line_names_must_be_there() {
    let bed = bed();
    bed.write("folder/x", "");
    bed.write("facts.json", "{\"scor\": 80}");
    let cases = [
        ("policy eval --facts gone.json", "while reading gone.json: No such file or directory"),
        ("policy eval --facts folder", "while reading folder: it is neither a file nor a pipe"),
        ("policy eval --facts facts.json", "`/scor` is no key of a facts document; did you mean `score`?"),
        ("policy inspect gone.wasm", "while reading gone.wasm: No such file or directory"),
        ("policy inspect facts.json", "facts.json is not a policy that can be used (load)"),
        ("run --env-file gone.env acme/tool@1.0.0", "while reading gone.env: No such file or directory"),
    ];
    for (line, says) in cases {
        let ran = bed.run(line).refuses(1, &[says]);
        assert_eq!(ran.stderr.matches("No such file").count(), usize::from(says.contains("No such")), "{ran}");
    }
}
