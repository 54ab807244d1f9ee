//! Exceptions of two layers: each waives what its own layer's policies found.

use crate::bed::Invocation;
use crate::bed::ROOT;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::commands::NEVER;
use crate::commands::bed;
use crate::commands::configure;
use crate::commands::for_score;

/// Writes the rules of an administrator's layer, which believes the bed's registry.
fn administrate(bed: &TestBed, rules: &str, exceptions: &[&str]) {
    let entries: String = exceptions.iter().map(|keys| format!("    - {{{keys}}}\n")).collect();
    let list = if entries.is_empty() { String::new() } else { format!("  exceptions:\n{entries}") };
    bed.write("admin/config.yaml", format!("registry_url: ../registry\npolicy:\n  {rules}\n{list}"));
}

fn under_both<'b>(bed: &'b TestBed, line: &str) -> Invocation<'b> {
    bed.smcp(line).env("SMCP_SYSTEM_CONFIG", bed.path("admin/config.yaml"))
}

fn outcomes(ran: &Ran) -> Vec<String> {
    let document = ran.document();
    let of = |policy: &serde_json::Value| {
        format!("{} {}", policy["layer"].as_str().unwrap(), policy["outcome"].as_str().unwrap())
    };
    document["policies"].as_array().unwrap().iter().filter(|policy| policy["name"] == "score").map(of).collect()
}

#[test]
fn each_layer_waives_for_itself_alone() {
    let bed = bed();
    let score = for_score();
    let line = "--json policy check acme/tool@1.0.0";
    for (theirs, own, outcomes_of, code) in [
        (vec![], vec![], ["added violation", "user violation"], 4),
        (vec![], vec![score.as_str()], ["added violation", "user waived"], 4),
        (vec![score.as_str()], vec![], ["added waived", "user violation"], 4),
        (vec![score.as_str()], vec![score.as_str()], ["added waived", "user waived"], 0),
    ] {
        administrate(&bed, "min_score: 80", &theirs);
        configure(&bed, "min_score: 80", &own);
        let ran = under_both(&bed, line).run().exits(code);
        assert_eq!(outcomes(&ran), outcomes_of, "{ran}");
        under_both(&bed, "run acme/tool@1.0.0").run().exits(code);
        under_both(&bed, "run --trust acme/tool@1.0.0").run().exits(code);
    }
    // The administrator's policy of that name is no policy of the user's.
    let custom = std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    bed.write("admin/theirs.wasm", custom);
    administrate(&bed, "custom: [{name: theirs, source: theirs.wasm}]", &[]);
    configure(&bed, "min_score: 0", &[&score.replace("score", "theirs")]);
    under_both(&bed, "run acme/tool@1.0.0").run().refuses(1, &["`theirs`, and no policy of this layer has that name"]);
}

#[test]
fn a_user_moves_no_trust_of_the_administrators_exceptions() {
    let bed = bed();
    let line = "--registry other registry publish --origin community --cert-level 1 --score 35 acme/tool@1.0.0 bundles/acme-tool-1.0.0";
    bed.write("bundles/acme-tool-1.0.0/more.txt", "other bytes");
    bed.run(line).succeeds();
    administrate(&bed, "min_score: 80", &[&for_score()]);
    bed.configure("");
    let run = |options: &str| under_both(&bed, &format!("{options} policy check acme/tool@1.0.0")).run();
    run("").succeeds();
    run("--registry other").exits(4);
    // What the user trusts, and where the user takes packages from, is the user's business.
    for own in ["trusted_registries: [~/other]", "trusted_registries: [~/other, ~/registry]", "registry_url: ~/other"] {
        bed.write(".mcp/config.yaml", format!("{own}\n"));
        run("--registry other").exits(4);
    }
}

#[test]
fn a_refusal_by_two_layers_offers_an_entry_for_the_file_of_each() {
    let bed = bed();
    administrate(&bed, "min_cert_level: 2", &[]);
    configure(&bed, "min_score: 80", &[]);
    let line = "policy check acme/tool@1.0.0";
    let refused = under_both(&bed, line).run().exits(4);
    insta::assert_snapshot!("two_layers", &refused);
    let mut files = refused.raw.split("  → to make an exception").skip(1);
    let (theirs, own) = (files.next().unwrap(), files.next().unwrap());
    assert!(theirs.contains("/admin/config.yaml") && own.contains("/.mcp/config.yaml"), "{refused}");
    for (file, printed) in [("admin/config.yaml", theirs), (".mcp/config.yaml", own)] {
        under_both(&bed, line).run().exits(4);
        let filled = printed
            .replace("reason:  # why", "reason: ticket 7")
            .replace("until:  # YYYY-MM-DD", &format!("until: {NEVER}"));
        let entries: String = filled
            .lines()
            .skip_while(|line| !line.starts_with("  exceptions:"))
            .map(|line| format!("{line}\n"))
            .collect();
        bed.write(file, format!("{}{entries}", bed.read(file)));
    }
    under_both(&bed, line).run().succeeds();
}

#[test]
fn a_policy_of_policies_d_is_waived_by_the_file_beside_it() {
    let bed = bed();
    let component = std::fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    let ask =
        |manifest: &mut serde_json::Value| manifest["permissions"]["network"]["outbound"] = serde_json::json!(["*"]);
    bed.publish(&crate::bed::Package::shell("acme/tool@2.0.0", "echo runs").manifest(ask).good());
    bed.write(".mcp/policies.d/no-network.wasm", component);
    let line = "--registry registry policy check acme/tool@2.0.0";
    // Without a file beside it, that is where the exception would be written.
    let refused = bed.run(line).exits(4);
    assert!(refused.stdout.contains("adds this under `policy` in [HOME]/.mcp/config.yaml"), "{refused}");
    let entry = format!("package: acme/tool, policies: [no-network], reason: x, until: {NEVER}");
    configure(&bed, "min_score: 0", &[&entry]);
    bed.run(line).succeeds();
    // An entry of the folder is a policy and nothing else.
    bed.write(".mcp/policies.d/no-network.yaml", format!("source: no-network.wasm\nexceptions: [{{{entry}}}]\n"));
    bed.run(line).refuses(1, &["unknown key `exceptions`"]);
}
