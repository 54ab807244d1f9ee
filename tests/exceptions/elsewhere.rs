//! A package of the same name from a registry that the layer does not trust.

use crate::bed::TestBed;
use crate::commands::NEVER;
use crate::commands::bed;
use crate::commands::configure;
use crate::commands::for_score;
use crate::server::Served;

/// Publishes another package of the same name and version in another registry.
fn publish_elsewhere(bed: &TestBed) {
    bed.write("bundles/acme-tool-1.0.0/more.txt", "other bytes");
    let line = "--registry other registry publish --origin community --cert-level 1 --score 35 acme/tool@1.0.0 bundles/acme-tool-1.0.0";
    bed.run(line).succeeds();
}

fn digest(bed: &TestBed, options: &str) -> String {
    let document = bed.run(&format!("{options} --json info acme/tool@1.0.0")).succeeds().document();
    document["facts"]["bundle_digest"].as_str().unwrap().to_owned()
}

const LINES: [&str; 3] = ["run acme/tool@1.0.0", "run --dry-run acme/tool@1.0.0", "policy check acme/tool@1.0.0"];

#[test]
fn it_is_not_waived_however_the_registry_is_named() {
    let bed = bed();
    publish_elsewhere(&bed);
    configure(&bed, "min_score: 80", &[&for_score()]);
    for line in LINES {
        bed.run(line).succeeds();
        for other in ["other", "./other", "../other", "~/other"] {
            let other = if other == "../other" {
                format!("../{}/other", bed.path("").file_name().unwrap().to_str().unwrap())
            } else {
                other.to_owned()
            };
            bed.run(&format!("--registry {other} {line}")).exits(4);
            bed.smcp(line).env("SMCP_REGISTRY", &other).run().exits(4);
        }
        // The registry that the configuration names is the same however it is written.
        for own in ["registry", "./registry", "~/registry", "registry/../registry"] {
            bed.run(&format!("--registry {own} {line}")).succeeds();
        }
    }
    // The bytes of one registry in another one: the name is not waived there, the digest is.
    let bound = |digest: &str| format!("package: 'acme/tool@{digest}', policies: [score], reason: x, until: {NEVER}");
    let (own, others) = (digest(&bed, ""), digest(&bed, "--registry other"));
    assert_ne!(own, others);
    for (digest, code, code_elsewhere) in [(&own, 0, 4), (&others, 4, 0)] {
        configure(&bed, "min_score: 80", &[&bound(digest)]);
        for line in LINES {
            bed.run(line).exits(code);
            bed.run(&format!("--registry other {line}")).exits(code_elsewhere);
        }
    }
}

#[test]
fn trusted_registries_say_whose_packages_may_be_waived() {
    let bed = bed();
    publish_elsewhere(&bed);
    for (trusted, code, code_elsewhere) in [
        ("[~/registry]", 0, 4),
        ("[~/other]", 4, 0),
        ("[~/registry, ~/other]", 0, 0),
        ("[https://registry.mcp-hub.info]", 4, 4),
        ("[]", 4, 4),
    ] {
        let rules = format!(
            "trusted_registries: {trusted}\npolicy:\n  min_score: 80\n  exceptions:\n    - {{{}}}\n",
            for_score()
        );
        bed.configure(&rules);
        for line in LINES {
            bed.run(line).exits(code);
            bed.run(&format!("--registry other {line}")).exits(code_elsewhere);
        }
    }
}

#[test]
fn a_url_and_the_folder_behind_it_are_two_registries() {
    let bed = bed();
    let served = Served::start(&bed);
    let url = format!("http://{}", served.address);
    configure(&bed, "min_score: 80", &[&for_score()]);
    let line = "policy check acme/tool@1.0.0";
    bed.run(line).succeeds();
    bed.run(&format!("--registry {url} {line}")).exits(4);
    let rules = bed.read(".mcp/config.yaml").replace("registry_url: ~/registry", &format!("registry_url: {url}"));
    bed.write(".mcp/config.yaml", rules);
    bed.run(line).succeeds();
    bed.run(&format!("--registry registry {line}")).exits(4);
}

#[test]
fn a_changed_bundle_is_another_package_for_a_digest() {
    let bed = bed();
    let own = digest(&bed, "--registry registry");
    let bound = format!("package: 'acme/tool@{own}', policies: [score], reason: x, until: {NEVER}");
    configure(&bed, "min_score: 80", &[&bound]);
    for line in LINES {
        bed.run(line).succeeds();
    }
    // The registry's folder is made anew, with other bytes under the same version.
    std::fs::remove_dir_all(bed.path("registry")).unwrap();
    publish_elsewhere(&bed);
    std::fs::rename(bed.path("other"), bed.path("registry")).unwrap();
    for line in LINES {
        bed.run(line).exits(4);
    }
}
