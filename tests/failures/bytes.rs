//! Entries, manifests and bundles that are invalid, or take too long.

use std::fs;

use serde_json::Value;
use serde_json::json;

use crate::Row;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;
use crate::before::with_tool;
use crate::registries::blob;
use crate::registries::entry;
use crate::scene::Scene;
use crate::scene::TOOL;
use smcp_model::digest::Digest;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "the registry's entry is not a valid document, or the image of something else than a package",
        holds: &[
            ("the file", "`packages/acme/tool/1.0.0.json`"),
            ("the field or the place", "line 1 column 12"),
            ("what was found", "integer `7`, expected a string"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_entry(bed, |entry| entry["resolved"]["version"] = json!(7));
                Scene::run()
            });
            trial.refuses(|bed| {
                with_tool(bed);
                bed.write("registry/packages/acme/tool/1.0.0.json", "{\"package\": ");
                Scene::run()
            });
        },
    },
    Row {
        what: "the entry or manifest is about something else",
        holds: &[("the field", "the package in"), ("expected", "`acme/tool`"), ("found", "`acme/other`")],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_entry(bed, |entry| entry["package"] = json!("acme/other"));
                Scene::run()
            });
            trial.refuses(|bed| {
                with_tool(bed);
                bed.replace_manifest("acme/tool", "1.0.0", |manifest, _| {
                    let mut manifest = manifest.clone();
                    manifest["package"]["id"] = "acme/other".into();
                    manifest
                });
                Scene::run()
            });
        },
    },
    Row {
        what: "status not `published`, `deprecated` or absent",
        holds: &[("the registry's word", "`revoked`")],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_entry(bed, |entry| entry["resolved"]["status"] = json!("revoked"));
                Scene::of(&format!("run --trust {TOOL}"))
            });
        },
    },
    Row {
        what: "servers must be confined in full, and this one can't be",
        holds: &[
            ("what is missing", "permissions unknown: files and network are open"),
            ("what closes it", "publish it with a block of `permissions`"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                bed.configure("confinement: required\n");
                bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").unknown().good());
                Scene::of(&format!("run --trust {TOOL}"))
            });
        },
    },
    Row {
        what: "manifest or bundle has another digest",
        holds: &[
            ("expected", "expected sha256:"),
            ("found", "found    sha256:"),
            ("what it is if it is something else", "web page"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                let name = blob(bed, "registry", "bundle");
                bed.write(&format!("registry/blobs/{name}"), "<!DOCTYPE html><html></html>");
                Scene::run()
            });
            for kind in ["manifest", "bundle"] {
                trial.refuses(|bed| {
                    with_tool(bed);
                    corrupt(&bed.path(&format!("registry/blobs/{}", blob(bed, "registry", kind))));
                    Scene::run()
                });
            }
        },
    },
    Row {
        what: "the manifest is malformed, or leads outside",
        holds: &[("the field", "`entrypoint.command`"), ("what was found", "`../sh`")],
        provoke: |trial| {
            for command in [json!(["../sh"]), json!(7)] {
                trial.refuses(|bed| {
                    with_manifest(bed, |manifest| manifest["entrypoint"]["command"] = command.clone());
                    Scene::run()
                });
            }
        },
    },
    Row {
        what: "the manifest has nothing for this platform",
        holds: &[("the platforms it has", "windows/amd64")],
        provoke: |trial| trial.refuses(elsewhere_only),
    },
    Row {
        what: "the command fetches what it runs",
        holds: &[("the words of the command that tell it", "`npx`")],
        provoke: |trial| {
            let bed = TestBed::new();
            bed.configure("");
            bed.publish(&Package::greeter(TOOL).entrypoint(json!({"command": ["npx", "-y", "some-server"]})).good());
            trial.message(&bed.run(&format!("run --dry-run {TOOL}")).succeeds().stdout);
            let document = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
            trial.class(document["notices"][0]["code"].as_str().unwrap());
        },
    },
    Row {
        what: "the command runs what is in no file of the package",
        holds: &[("the words of the command that tell it", "`node -e`")],
        provoke: |trial| {
            let bed = TestBed::new();
            bed.configure("");
            bed.publish(&Package::greeter(TOOL).entrypoint(json!({"command": ["node", "-e", "1"]})).good());
            trial.message(&bed.run(&format!("run --dry-run {TOOL}")).succeeds().stdout);
            let document = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
            trial.class(document["notices"][0]["code"].as_str().unwrap());
        },
    },
    Row {
        what: "manifest or bundle over its limit",
        holds: &[("the limit", "is longer than [SIZE] bytes")],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                let path = bed.path(&format!("registry/blobs/{}", blob(bed, "registry", "manifest")));
                fs::OpenOptions::new().write(true).open(path).unwrap().set_len((10 << 20) + 1).unwrap();
                Scene::run()
            });
        },
    },
    Row {
        what: "resolve or download over `--timeout`",
        holds: &[
            ("the limit", "longer than 1ns"),
            ("who kept silent", "while http://127.0.0.1:"),
            ("which key raises it", "`start_timeout`"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                Scene::of(&format!("run --timeout 1ns {TOOL}"))
            });
            trial.refuses(|_| {
                let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
                let address = silent.local_addr().unwrap();
                // The connection is never accepted while the test runs.
                std::mem::forget(silent);
                Scene::of(&format!("--registry http://{address} run --timeout 300ms {TOOL}"))
            });
        },
    },
    Row {
        what: "the bundle holds a link, device, `..`, a bomb, …",
        holds: &[("the entry", "`evil`"), ("what is wrong", "is a symbolic link")],
        provoke: |trial| trial.launches(with_link),
    },
    Row {
        what: "the cached bundle changed since it was verified",
        holds: &[("expected", "expected sha256:"), ("found", "found    sha256:")],
        provoke: crate::launch::changed_meanwhile,
    },
];

/// The package, with a change to its entry in the registry.
fn with_entry(bed: &TestBed, change: impl FnOnce(&mut Value)) {
    with_tool(bed);
    let mut document = entry(bed, "registry");
    change(&mut document);
    bed.write("registry/packages/acme/tool/1.0.0.json", document.to_string());
}

/// The package, with a change to its manifest, whose digest is right.
fn with_manifest(bed: &TestBed, change: impl FnOnce(&mut Value)) {
    with_tool(bed);
    bed.replace_manifest("acme/tool", "1.0.0", |manifest, _| {
        let mut manifest = manifest.clone();
        change(&mut manifest);
        manifest
    });
}

/// A package for another system, in the format that names systems.
fn elsewhere_only(bed: &TestBed) -> Scene {
    bed.publish(&Package::greeter(TOOL).good());
    bed.replace_manifest("acme/tool", "1.0.0", |manifest, bundle| {
        json!({
            "schema_version": "1.0",
            "package": manifest["package"],
            "bundle": bundle,
            "transport": {"type": "stdio"},
            "entrypoints": [{"os": "windows", "arch": "amd64", "command": "cmd", "args": []}],
        })
    });
    Scene::run()
}

/// The package with a bundle that has a link in it, and the right digest.
fn with_link(bed: &TestBed) -> Scene {
    let mut archive = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    archive.append_link(&mut header, "evil", "/etc/passwd").unwrap();
    let bundle = archive.into_inner().unwrap().finish().unwrap();
    let digest = Digest::of(&bundle).to_string();
    with_entry(bed, |entry| {
        entry["resolved"]["bundle"]["digest"] = digest.as_str().into();
        entry["resolved"]["bundle"]["size_bytes"] = bundle.len().into();
    });
    bed.write(&format!("registry/blobs/{}", digest.replace(':', "-")), bundle);
    Scene::run()
}
