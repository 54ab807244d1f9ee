//! `smcp policy sign` and `smcp policy verify`, as people and machines meet them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use rcgen::KeyPair;

use crate::bed::TestBed;
use crate::guest::Twin;
use crate::sigstore::Wish;
use crate::sigstore::World;
use crate::terminal::Terminal;

fn home() -> TestBed {
    let bed = TestBed::new();
    bed.configure("");
    bed.write("policy.wasm", Twin::honest().component());
    bed
}

#[test]
fn a_key_is_made_for_its_owner_alone_and_signs() {
    let bed = home();
    let made = bed.run("policy sign --new-key team --no-password").succeeds();
    let mode = |name: &str| std::fs::metadata(bed.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(".mcp/keys"), mode(".mcp/keys/team.key")), (0o700, 0o600));
    let key = bed.read(".mcp/keys/team.pub").lines().nth(1).unwrap().to_owned();
    assert!(made.stdout.contains(&format!("signed_by: [{{ minisign: \"{key}\" }}]")), "{made}");
    assert!(made.stdout.contains("without a password: whoever can read it can sign"), "{made}");
    let signed = bed.run("policy sign policy.wasm").succeeds();
    assert!(signed.stdout.contains("policy.wasm is signed"), "{signed}");
    let verified = bed.run(&format!("policy verify policy.wasm --signed-by {key}")).succeeds();
    assert!(verified.stdout.contains(&format!("signed by  minisign {key}")), "{verified}");
    bed.run("policy verify policy.wasm --signed-by .mcp/keys/team.pub").succeeds();
    // The secret is on no screen and in no log.
    let secret = bed.read(".mcp/keys/team.key").lines().nth(1).unwrap().to_owned();
    let log = if bed.has(".mcp/audit.jsonl") { bed.read(".mcp/audit.jsonl") } else { String::new() };
    for text in [&made.stdout, &made.stderr, &signed.stdout, &signed.stderr, &log] {
        assert!(!text.contains(&secret[..40]), "{text}");
    }
    // A key is never overwritten, and there can be several.
    let again = bed.run("policy sign --new-key team --no-password");
    assert_eq!(again.code, 1, "{again}");
    assert!(again.stderr.contains("a key is never overwritten"), "{again}");
    bed.run("policy sign --new-key release --no-password policy.wasm").succeeds();
    let which = bed.run("policy sign policy.wasm");
    assert_eq!(which.code, 1, "{which}");
    assert!(which.stderr.contains("say which with --key (release, team)"), "{which}");
    let by_other = bed.run(&format!("policy verify policy.wasm --signed-by {key}"));
    assert_eq!(by_other.code, 3, "{by_other}");
    bed.run("policy sign policy.wasm --key team").succeeds();
    bed.run(&format!("policy verify policy.wasm --signed-by {key}")).succeeds();
}

#[test]
fn a_password_comes_from_a_variable_a_file_or_nobody() {
    let bed = home();
    let nobody = bed.run("policy sign --new-key team");
    assert_eq!(nobody.code, 1, "{nobody}");
    assert!(nobody.stderr.contains("nobody can be asked for it"), "{nobody}");
    assert!(!bed.has(".mcp/keys"), "{nobody}");
    bed.smcp("policy sign --new-key team").env("SMCP_SIGNING_PASSWORD", "of a test").run().succeeds();
    assert!(bed.read(".mcp/keys/team.key").starts_with("untrusted comment: minisign encrypted secret key\n"));
    bed.write("password", "of a test\n");
    bed.run("policy sign policy.wasm --password-file password").succeeds();
    let wrong = bed.smcp("policy sign policy.wasm").env("SMCP_SIGNING_PASSWORD", "of a text").run();
    assert_eq!(wrong.code, 1, "{wrong}");
    assert!(wrong.stderr.contains("the password is wrong, or the file is damaged"), "{wrong}");
    assert!(!wrong.stderr.contains("of a text"), "{wrong}");
    // A CI has the key itself in a variable.
    let key = bed.read(".mcp/keys/team.key");
    let public = bed.read(".mcp/keys/team.pub").lines().nth(1).unwrap().to_owned();
    std::fs::remove_dir_all(bed.path(".mcp/keys")).unwrap();
    let ci = bed.smcp("policy sign policy.wasm").env("SMCP_SIGNING_KEY", key).env("SMCP_SIGNING_PASSWORD", "of a test");
    ci.run().succeeds();
    bed.run(&format!("policy verify policy.wasm --signed-by {public}")).succeeds();
    let none = bed.run("policy sign policy.wasm");
    assert!(none.stderr.contains("make one with `smcp policy sign --new-key NAME`"), "{none}");
}

/// Runs a command on a terminal where a person answers each question; returns its exit code and the screen.
fn at_a_terminal(bed: &TestBed, line: &str, answers: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut terminal = Terminal::new();
    let mut command = terminal.controls(&bed.smcp(line).command);
    command.stdin(terminal.stream()).stderr(terminal.stream()).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    drop(command);
    for (question, answer) in answers {
        terminal.shows(question);
        terminal.types(answer);
    }
    let code = child.wait().unwrap().code();
    (code, bed.redact(&terminal.end()))
}

#[test]
fn a_person_types_a_password_that_is_not_shown() {
    let bed = home();
    let (new, again) = ("password for the new key: ", "the same again: ");
    let differ = at_a_terminal(&bed, "policy sign --new-key team", &[(new, "hunter2\n"), (again, "hunter3\n")]);
    assert!(differ.0 == Some(1) && differ.1.contains("the two are different"), "{differ:?}");
    let empty = at_a_terminal(&bed, "policy sign --new-key team", &[(new, "\n"), (again, "\n")]);
    assert!(empty.0 == Some(1) && empty.1.contains("the password is empty"), "{empty:?}");
    let given_up = at_a_terminal(&bed, "policy sign --new-key team", &[(new, "hunt\u{3}")]);
    assert!(given_up.0 == Some(1) && given_up.1.contains("nothing was entered"), "{given_up:?}");
    assert!(!bed.has(".mcp/keys"));
    let typed = [(new, "huntrr\u{7f}\u{7f}er2\n"), (again, "hunter2\n")];
    let (code, screen) = at_a_terminal(&bed, "policy sign --new-key team", &typed);
    assert!(code == Some(0) && !screen.contains("hunt"), "{screen}");
    let (code, screen) = at_a_terminal(&bed, "policy sign policy.wasm", &[("password of ", "hunter2\n")]);
    assert!(code == Some(0) && !screen.contains("hunt"), "{screen}");
    bed.run("policy verify policy.wasm --signed-by .mcp/keys/team.pub").succeeds();
}

#[test]
fn what_is_said_reads_well() {
    let bed = home();
    let hidden = |text: &str| {
        let key = bed.read(".mcp/keys/team.pub").lines().nth(1).unwrap().to_owned();
        let number = bed.read(".mcp/keys/team.pub").lines().next().unwrap().rsplit(' ').next().unwrap().to_owned();
        bed.redact(text).replace(&key, "[KEY]").replace(&number, "[NUMBER]")
    };
    let made = bed.run("policy sign --new-key team --no-password policy.wasm").succeeds();
    insta::assert_snapshot!("signed", hidden(&made.stdout));
    let verified = bed.run("policy verify policy.wasm --signed-by .mcp/keys/team.pub").succeeds();
    insta::assert_snapshot!("verified", hidden(&verified.stdout));
    bed.write("policy.wasm", [Twin::honest().component(), vec![0, 1, 0]].concat());
    let refused = bed.run("policy verify policy.wasm --signed-by .mcp/keys/team.pub");
    assert_eq!(refused.code, 3);
    insta::assert_snapshot!("refused", hidden(&refused.stdout));
    let json = bed.run("--json policy verify policy.wasm --signed-by .mcp/keys/team.pub");
    assert_eq!(json.code, 3);
    insta::assert_snapshot!("refused_json", hidden(&json.stdout));
    let json = bed.run("--json policy sign policy.wasm").succeeds();
    insta::assert_snapshot!("signed_json", hidden(&json.stdout));
}

#[test]
fn verify_asks_the_rules_of_the_configuration() {
    let (bed, world, key) = (home(), World::new(), KeyPair::generate().unwrap());
    let nobody = bed.run("policy verify policy.wasm");
    assert_eq!(nobody.code, 1, "{nobody}");
    assert!(nobody.stderr.contains("no policy of the configuration with this component says who"), "{nobody}");
    bed.write("key.pem", key.public_key_pem());
    bed.configure(
        "policy:\n  custom:\n    - {name: one, source: ~/policy.wasm, mode: disabled, signed_by: [{key: ~/key.pem}]}\n    - \
         {name: two, source: ~/policy.wasm}\n",
    );
    let missing = bed.run("policy verify policy.wasm");
    assert_eq!(missing.code, 3, "{missing}");
    assert!(missing.stdout.contains("policy: one (user)"), "{missing}");
    let bytes = Twin::honest().component();
    bed.write("policy.wasm.sigstore.json", world.sign_with(&key, &bytes, true).to_string());
    let found = bed.run("--json policy verify policy.wasm").succeeds().document();
    assert_eq!(found["rules"].as_array().unwrap().len(), 1, "{found}");
    assert!(found["rules"][0]["signer"].as_str().unwrap().starts_with("key sha256:"), "{found}");
    bed.run("policy verify policy.wasm --signed-by key.pem").succeeds();
    bed.write("root.json", world.root().to_string());
    let wish = Wish::of("dev@acme.test", "https://issuer.test");
    bed.write("policy.wasm.sigstore.json", world.sign(&wish, &bytes).to_string());
    let line = "policy verify policy.wasm --issuer https://issuer.test --trusted-root root.json --identity";
    bed.run(&format!("{line} dev@acme.test")).succeeds();
    let other = bed.run(&format!("{line} dev@acme.tes"));
    assert_eq!(other.code, 3, "{other}");
    assert!(other.stdout.contains("it is by `dev@acme.test` of https://issuer.test"), "{other}");
    let half = bed.run("policy verify policy.wasm --identity dev@acme.test");
    assert_eq!(half.code, 1, "{half}");
}

#[test]
fn what_is_no_component_or_no_key_is_not_signed() {
    let bed = home();
    bed.write("text.wasm", "(component)");
    let text = bed.run("policy sign text.wasm");
    assert!(text.code == 1 && text.stderr.contains("text.wasm is no WebAssembly"), "{text}");
    bed.write("x.key", "RWQ");
    let key = bed.run("policy sign policy.wasm --key ./x.key");
    assert!(key.code == 1 && key.stderr.contains("it is no secret key as minisign has it"), "{key}");
    bed.run("policy sign --new-key team --no-password").succeeds();
    let file = bed.path(".mcp/keys/team.key");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let open = bed.run("policy sign policy.wasm").succeeds();
    assert!(open.stderr.contains("others on this machine can read the secret key"), "{open}");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o622)).unwrap();
    let foreign = bed.run("policy sign policy.wasm");
    assert!(foreign.code == 1 && foreign.stderr.contains("the key could be somebody else's"), "{foreign}");
}
