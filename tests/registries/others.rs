//! What others push, smcp pulls; what smcp pushes, others pull and copy.

use std::path::Path;
use std::process::Command;
use std::process::Output;

use crate::bed::TestBed;
use crate::component;
use crate::registry::Manner;
use crate::registry::RealRegistry;
use crate::say;

/// Runs another program in the bed; `None`, and a word about it, where it is missing.
fn other(bed: &TestBed, program: &str, advice: &str, args: &[&str]) -> Option<Output> {
    let mut command = Command::new(program);
    command.args(args).current_dir(bed.path("")).env("HOME", bed.path(""));
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            say(&format!("skipped: {program} is not installed ({advice})"));
            None
        }
        Err(error) => panic!("{program}: {error}"),
    }
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_the_component(path: &Path) {
    assert!(std::fs::read(path).unwrap() == component(), "{}", path.display());
}

fn bed() -> TestBed {
    let bed = TestBed::new();
    bed.write("no_network.wasm", component());
    bed
}

#[test]
fn skopeo_copies_what_we_push_and_its_digest_stays() {
    let (Some(one), Some(two)) =
        (RealRegistry::start(Manner::default()), RealRegistry::start(Manner { tls: true, log_in: true }))
    else {
        return;
    };
    let bed = bed();
    let host = format!("localhost:{}", one.port);
    let pushed =
        bed.run(&format!("--json policy push no_network.wasm oci://{host}/policies/a:1")).succeeds().document();
    let skopeo = |args: &[&str]| other(&bed, "skopeo", "Debian's package `skopeo`", args);
    std::fs::create_dir(bed.path("certs")).unwrap();
    std::fs::copy(two.authority(), bed.path("certs/ca.crt")).unwrap();
    let from = format!("docker://{host}/policies/a:1");
    let there = format!("docker://localhost:{}/policies/a:1", two.port);
    let Some(copied) = skopeo(&[
        "--insecure-policy",
        "copy",
        "--src-tls-verify=false",
        "--dest-cert-dir",
        "certs",
        "--dest-creds",
        "me:hunter2",
        &from,
        &there,
    ]) else {
        return;
    };
    succeeds(&copied);
    let back = format!("docker://{host}/copied/a:1");
    succeeds(
        &skopeo(&[
            "--insecure-policy",
            "copy",
            "--src-cert-dir",
            "certs",
            "--src-creds",
            "me:hunter2",
            "--dest-tls-verify=false",
            &there,
            &back,
        ])
        .unwrap(),
    );
    let pulled =
        bed.run(&format!("--json policy pull oci://{host}/copied/a:1 --output back.wasm")).succeeds().document();
    assert_eq!(pulled["policies"][0]["manifest"], pushed["manifest"]);
    is_the_component(&bed.path("back.wasm"));
    // A log-in that skopeo keeps where docker does is ours, too.
    let logged_in = skopeo(&[
        "login",
        "--cert-dir",
        "certs",
        "--authfile",
        "docker/config.json",
        "-u",
        "me",
        "-p",
        "hunter2",
        &format!("localhost:{}", two.port),
    ]);
    succeeds(&logged_in.unwrap());
    let auths: serde_json::Value = serde_json::from_str(&bed.read("docker/config.json")).unwrap();
    let entry = auths["auths"][format!("localhost:{}", two.port)].clone();
    let with_name = serde_json::json!({"auths": {crate::registry::HOST: entry}});
    bed.write("docker/config.json", with_name.to_string());
    let pull = format!("policy pull oci://{}/policies/a:1", crate::registry::HOST);
    let smcp = bed.smcp(&pull).env("HTTPS_PROXY", two.proxy()).env("SSL_CERT_FILE", two.authority());
    smcp.env("DOCKER_CONFIG", bed.path("docker")).run().succeeds();
}

/// An air gap between two registries: the set and the list of its signatures are copied, and count where they come to.
#[test]
fn skopeo_carries_a_set_and_its_signatures() {
    let Some(registry) = RealRegistry::start(Manner::default()) else { return };
    let bed = bed();
    let host = format!("localhost:{}", registry.port);
    bed.configure("");
    bed.run("policy sign --new-key release --no-password").succeeds();
    let key = bed.read(".mcp/keys/release.pub").lines().nth(1).unwrap().to_owned();
    bed.write("company/set.yaml", "version: 1\nexpires: 2199-12-31T00:00:00Z\npolicy: {min_score: 80}\n");
    bed.run("policy set build company -o company.tar.gz").succeeds();
    bed.run("policy sign company.tar.gz").succeeds();
    let push = format!("--json policy set push company.tar.gz oci://{host}/company/rules:stable");
    let pushed = bed.run(&push).succeeds().document();
    let list = pushed["manifest"].as_str().unwrap().replace(':', "-");
    for (tag, more) in [("stable", &[][..]), (&list, &["--all"])] {
        let (from, to) =
            (format!("docker://{host}/company/rules:{tag}"), format!("docker://{host}/mirror/rules:{tag}"));
        let args = ["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"];
        let args = [&args[..], more, &[&from, &to]].concat();
        let Some(copied) = other(&bed, "skopeo", "Debian's package `skopeo`", &args) else { return };
        succeeds(&copied);
    }
    let source = format!("oci://{host}/mirror/rules:stable");
    bed.configure(&format!("policy: {{policy_set: {{source: '{source}', signed_by: [{{minisign: '{key}'}}]}}}}\n"));
    let pulled = bed.run("--json policy set pull").succeeds().document();
    assert_eq!(pulled["sets"][0]["signer"], format!("minisign {key}"));
    assert_eq!(pulled["sets"][0]["digest"], pushed["digest"]);
}

#[test]
fn wkg_pulls_what_we_push_and_we_pull_what_it_pushes() {
    let Some(registry) = RealRegistry::start(Manner::default()) else { return };
    let bed = bed();
    let host = format!("localhost:{}", registry.port);
    bed.run(&format!("policy push no_network.wasm oci://{host}/policies/a:1")).succeeds();
    let wkg =
        |args: &[&str]| other(&bed, "wkg", "cargo install wkg", &[&["oci"], args, &["--insecure", &host]].concat());
    let Some(pulled) = wkg(&["pull", &format!("{host}/policies/a:1"), "--output", "theirs.wasm"]) else { return };
    succeeds(&pulled);
    is_the_component(&bed.path("theirs.wasm"));
    succeeds(&wkg(&["push", &format!("{host}/theirs/a:1"), "no_network.wasm"]).unwrap());
    bed.run(&format!("policy pull oci://{host}/theirs/a:1 --output ours.wasm")).succeeds();
    is_the_component(&bed.path("ours.wasm"));
}
