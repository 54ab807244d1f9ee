//! Suggestions for values and keys that were most likely meant.

use super::bad;
use super::good;

/// Returns the suggestion for a document, or else the message without the allowed values.
fn suggested(text: &str) -> String {
    let [problem] = bad(text).try_into().unwrap();
    let said = problem.split(" (allowed: ").next().unwrap().to_owned();
    said.split_once("; did you mean `").map_or(said.clone(), |(_, meant)| meant.trim_end_matches("`?").to_owned())
}

#[test]
fn names_and_digests_are_suggested_as_they_are_written() {
    let entry =
        |name: &str, digest: &str| format!("policy: {{custom: [{{name: {name}, source: x, digest: {digest}}}]}}");
    let (upper, lower) = ("AB".repeat(32), "ab".repeat(32));
    let right = format!("sha256:{lower}");
    for name in ["Few_Findings", "few_findings", "few findings", "FEW-FINDINGS", "few.findings"] {
        assert_eq!(suggested(&entry(name, &right)), "few-findings");
    }
    for digest in
        [format!("sha256:{upper}"), format!("SHA256:{lower}"), lower, upper, format!("sha256-{}", "ab".repeat(32))]
    {
        assert_eq!(suggested(&entry("a", &digest)), right, "{digest}");
    }
}

#[test]
fn words_of_other_tools_are_suggested_as_ours() {
    for (word, ours) in [
        ("off", "disabled"),
        ("none", "disabled"),
        ("false", "disabled"),
        ("Enforce", "strict"),
        ("enforcing", "strict"),
        ("block", "strict"),
        ("deny", "strict"),
        ("on", "strict"),
        ("true", "strict"),
        ("audit", "warn"),
        ("monitor", "warn"),
        ("warning", "warn"),
    ] {
        assert_eq!(suggested(&format!("policy: {{score_mode: {word}}}")), ours, "{word}");
    }
    assert_eq!(suggested("policy: {cert_score_check: strict}"), "enforce");
    assert_eq!(suggested("policy: {custom: [{name: a, source: x, on_warn: ask}]}"), "confirm");
}

#[test]
fn keys_of_an_entry_that_belong_elsewhere_are_sent_there() {
    for (key, meant) in [
        ("max_high", "settings.max_high"),
        ("min_score", "settings.min_score"),
        ("path", "source"),
        ("sha256", "digest"),
        ("enforcement", "mode"),
        ("setings", "settings"),
    ] {
        assert_eq!(suggested(&format!("policy: {{custom: [{{name: a, source: x, {key}: 1}}]}}")), meant);
    }
    assert_eq!(suggested("policies: {}"), "policy");
}

#[test]
fn a_path_is_a_path_and_nothing_is_expanded_or_fetched() {
    for (source, said) in [
        ("$HOME/p.wasm", "~/p.wasm"),
        ("${HOME}/p.wasm", "~/p.wasm"),
        ("$POLICIES/p.wasm", "variables are not expanded"),
        ("/srv/${X}/p.wasm", "variables are not expanded"),
        ("%APPDATA%/p.wasm", "variables are not expanded"),
        ("https://r.example/p.tar", "it does not end in a file's name with .wasm"),
        ("oci://ghcr.io/O/p:1", "a repository is lower-case letters"),
        ("ghcr.io/o/p:1", "an artefact in a registry is `oci://…`"),
        ("ghcr.io/o/p@sha256:00", "an artefact in a registry is `oci://…`"),
        ("localhost:5000/p:1", "an artefact in a registry is `oci://…`"),
    ] {
        let told = suggested(&format!("policy: {{custom: [{{name: a, source: '{source}'}}]}}"));
        assert!(told.contains(said), "{source}: {told}");
    }
    for source in ["./ghcr.io/o/p:1", "my.policies/p.wasm", "p:1.wasm", "./$x", "/srv/ghcr.io/p:1"] {
        good(&format!("policy: {{custom: [{{name: a, source: '{source}'}}]}}"));
    }
    for key in ["cache_dir", "registry_url"] {
        assert!(suggested(&format!("{key}: $CACHE/x")).contains("variables are not expanded"), "{key}");
    }
}

#[test]
fn a_registry_without_its_scheme_is_no_folder() {
    for (text, meant) in [
        ("registry.corp.example", "https://registry.corp.example"),
        ("registry.corp.example/mcp", "https://registry.corp.example/mcp"),
        ("registry:5000", "https://registry:5000"),
        ("localhost:8080", "http://localhost:8080"),
    ] {
        assert_eq!(suggested(&format!("registry_url: '{text}'")), meant);
        assert_eq!(suggested(&format!("trusted_registries: ['{text}']")), meant);
        good(&format!("registry_url: './{text}'"));
    }
    assert!(suggested("registry_url: oci://ghcr.io/X").contains("a repository is lower-case letters"));
}

#[test]
fn what_may_be_secret_is_in_no_suggestion() {
    assert!(!bad("registry_url: http://me:hunter2@r.example")[0].contains("hunter2"));
    assert!(!bad("policy: {custom: [{name: a, source: 'https://me:hunter2@r.example/p'}]}")[0].contains("hunter2"));
}
