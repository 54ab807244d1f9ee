//! The server's variables: given, passed on, withheld and shown.

use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;

/// A server that prints some of its variables.
fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    let script = r#"printf '%s|%s|%s\n' "$HTTPS_PROXY" "$TOKEN" "$EMPTY""#;
    bed.publish(&Package::shell("acme/tool@1.0.0", script).good());
    bed
}

#[test]
fn a_name_alone_passes_our_own_variable_on() {
    let bed = bed();
    bed.smcp("run acme/tool@1.0.0 --env HTTPS_PROXY --env TOKEN=given --env EMPTY")
        .env("HTTPS_PROXY", "http://user:hunter2@proxy")
        .env("TOKEN", "ours")
        .env("EMPTY", "")
        .run()
        .succeeds()
        .silent()
        .prints("http://user:hunter2@proxy|given|\n");
    // The later of two counts, as everywhere.
    bed.smcp("run acme/tool@1.0.0 --env TOKEN=given --env TOKEN").env("TOKEN", "a=b").run().prints("|a=b|\n");
}

#[test]
fn a_name_that_is_not_set_is_said_and_is_no_error() {
    let bed = bed();
    bed.run("run acme/tool@1.0.0 --env HTTPS_PROXY --env no_proxy")
        .succeeds()
        .says(&["`--env HTTPS_PROXY`: it is not set here", "`--env no_proxy`: it is not set here"])
        .prints("||\n");
    bed.run("-q run acme/tool@1.0.0 --env HTTPS_PROXY").succeeds().silent();
    // A text without a name may be a secret value, so it is not shown.
    for text in ["hunter2", "1234", "se-cret", ""] {
        let ran = bed.smcp("run acme/tool@1.0.0 --env").args(&[text]).run().refuses(1, &["expected KEY=VALUE"]);
        assert!(text.is_empty() || !ran.stderr.contains(text), "{ran}");
    }
}

#[test]
fn what_is_withheld_is_said_with_verbose_by_name() {
    let bed = bed();
    let run = |line: &str| {
        let line = format!("{line} acme/tool@1.0.0");
        bed.smcp(&line).env("HTTPS_PROXY", "http://hunter2@proxy").env("TZ", "secret/zone").run().succeeds()
    };
    let ran = run("-v run").says(&[
        "not passed on: HTTPS_PROXY; --env HTTPS_PROXY passes it on",
        "not passed on: TZ; --env TZ passes it on",
    ]);
    assert!(!ran.stderr.contains("hunter2") && !ran.stderr.contains("secret"), "{ran}");
    run("run").silent().prints("||\n");
    let ran = run("-v run --env HTTPS_PROXY");
    assert!(!ran.stderr.contains("HTTPS_PROXY") && ran.stderr.contains("not passed on: TZ"), "{ran}");
}

#[test]
fn a_path_that_is_given_is_where_the_command_is_sought() {
    let bed = TestBed::new();
    bed.configure("");
    bed.publish(&Package::greeter("acme/tool@1.0.0").entrypoint(json!({"command": ["own-program"]})).good());
    bed.write("tools/own-program", "#!/bin/sh\necho found\n");
    let program = bed.path("tools/own-program");
    std::fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    bed.smcp("run acme/tool@1.0.0").env("PATH", "/usr/bin:/bin:~/bin:tools").run().refuses(
        6,
        &["searched: /usr/bin, /bin\n", "absolute directories are searched: ~/bin, tools\n", "--env PATH="],
    );
    let path = format!("PATH={}", bed.path("tools").display());
    bed.smcp("run acme/tool@1.0.0 --env").args(&[&path]).env("PATH", "/usr/bin").run().succeeds().prints("found\n");
    bed.smcp("run acme/tool@1.0.0 --env PATH").env("PATH", bed.path("tools")).run().succeeds().prints("found\n");
    bed.write("server.env", path);
    bed.smcp("run acme/tool@1.0.0 --env-file server.env").run().succeeds().prints("found\n");
}

#[test]
fn a_variable_that_is_too_long_is_named_and_not_shown() {
    let bed = bed();
    bed.write("server.env", format!("BIG={}\n", "secret".repeat(40_000)));
    let ran = bed
        .run("run acme/tool@1.0.0 --env-file server.env")
        .refuses(1, &["the variable BIG is ", ", and this system starts programs with 131071 at most"]);
    assert!(!ran.stderr.contains("secret"), "{ran}");
}
