//! Failures of signed statements about a package.

use std::fs;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::Row;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::facts::Status;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::statement::StatementTerms;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "a layer goes by signed statements, and none that holds says that the version may run",
        holds: &[
            ("the layer", "the added layer goes by signed statements"),
            ("why the newest does not count", "the newest has expired at"),
        ],
        provoke: |trial| trial.refuses(|bed| believed(bed, "", |signer| signer.say("published", 1, -100, 50))),
    },
    Row {
        what: "a layer requires a signed statement, and none holds",
        holds: &[
            ("the layer", "the added layer goes by signed statements"),
            ("why the newest does not count", "the newest has expired at"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| believed(bed, ", require: true", |signer| signer.say("published", 1, -100, 50)));
        },
    },
    Row {
        what: "whoever a layer believes has signed a status that refuses",
        holds: &[("the layer", "whoever the added layer believes"), ("the word", "`revoked`")],
        provoke: |trial| trial.refuses(|bed| believed(bed, "", |signer| signer.say("revoked", 1, -1, 1_000))),
    },
    Row {
        what: "a signature of a statement is not by whom it says",
        holds: &[
            ("who it says", "is said to be by minisign RW"),
            ("what is wrong", "not one by that key over these bytes"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                believed(bed, "", |signer| {
                    let statement = signer.statement("published", 1, -1, 1_000);
                    signer.place(&statement, b"other bytes");
                })
            });
        },
    },
    Row {
        what: "a signed statement can't be understood, or is about something else",
        holds: &[
            ("the signer", "it is signed by minisign RW"),
            ("what is wrong", "unknown field `weight`"),
            ("what it is about", "it is about acme/other@1.0.0"),
        ],
        provoke: |trial| {
            for (from, to) in [("\"sequence\"", "\"weight\": 1, \"sequence\""), ("acme/tool", "acme/other")] {
                trial.refuses(|bed| {
                    believed(bed, "", |signer| {
                        let text = String::from_utf8(signer.statement("published", 1, -1, 1_000)).unwrap();
                        let text = text.replace(from, to);
                        signer.place(text.as_bytes(), text.as_bytes());
                    })
                });
            }
        },
    },
    Row {
        what: "two signed statements have one number, or the newest is older than one that was seen",
        holds: &[
            ("the number", "have the number 4"),
            ("both digests", ": sha256:"),
            ("the number that was seen", "has the number 4, and 5 was seen before"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                believed(bed, "", |signer| {
                    signer.say("published", 4, -1, 1_000);
                    signer.say("published", 4, -2, 1_000);
                })
            });
            trial.refuses(|bed| {
                let scene = believed(bed, "", |signer| {
                    signer.say("published", 4, -1, 1_000);
                    signer.say("published", 5, -1, 1_000);
                });
                check(bed);
                let folder = bed.path("registry/packages/acme/tool/1.0.0.statements");
                let newest = files(&folder)
                    .into_iter()
                    .filter(|file| fs::read_to_string(file).is_ok_and(|text| text.contains("\"sequence\": 5")));
                newest.for_each(|file| fs::remove_file(file).unwrap());
                scene
            });
        },
    },
    Row {
        what: "signed statements are too many",
        holds: &[("the bound", "than are read (64, or ")],
        provoke: |trial| {
            trial.refuses(|bed| {
                believed(bed, "", |signer| (1..=65).for_each(|number| signer.say("published", number, -1, 1_000)))
            });
        },
    },
    Row {
        what: "what was seen of signed statements is lost",
        holds: &[
            ("the file", "~/.mcp/seen.json is lost"),
            ("what that means", "an older one is accepted as long as it is valid"),
        ],
        provoke: |trial| {
            let bed = TestBed::new();
            bed.configure("");
            believed(&bed, "", |signer| signer.say("published", 1, -1, 1_000));
            check(&bed);
            fs::remove_file(bed.path(".mcp/seen.json")).unwrap();
            notices(trial, &check(&bed));
        },
    },
    Row {
        what: "what was seen of signed statements can't be kept",
        holds: &[("the reason", "Is a directory"), ("what that means", "an older one would not be noticed")],
        provoke: |trial| {
            let bed = TestBed::new();
            bed.configure("");
            believed(&bed, "", |signer| signer.say("published", 1, -1, 1_000));
            fs::create_dir_all(bed.path(".mcp/sets/.lock")).unwrap();
            let document = check(&bed);
            let is_about_it = |notice: &&Value| notice["code"] == "statement-not-remembered";
            let notice = document["notices"].as_array().unwrap().iter().find(is_about_it).unwrap();
            trial.class(notice["code"].as_str().unwrap());
            trial.message(notice["message"].as_str().unwrap());
        },
    },
];

fn notices(trial: &Trial<'_>, document: &Value) {
    for notice in document["notices"].as_array().unwrap() {
        trial.class(notice["code"].as_str().unwrap());
        trial.message(notice["message"].as_str().unwrap());
    }
}

fn check(bed: &TestBed) -> Value {
    let run = bed.smcp(&format!("--json policy check {TOOL}")).env("SMCP_SYSTEM_CONFIG", bed.path("added.yaml"));
    run.run().succeeds().document()
}

/// Somebody whom a layer believes.
struct Believed<'b> {
    bed: &'b TestBed,
    key: SecretKey,
}

impl Believed<'_> {
    /// A statement; times are in seconds, from now and from its beginning.
    fn statement(&self, status: &str, sequence: u64, issued: i64, validity: u64) -> Vec<u8> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let issued = now.checked_add_signed(issued).unwrap();
        let facts = Facts { status: Some(Status::from_word(status)), ..Facts::default() };
        let terms = StatementTerms { issued, expires: issued + validity, sequence };
        FactsStatement::new(&self.target(), None, facts, terms).unwrap().to_text().into_bytes()
    }

    fn target(&self) -> StatementTarget {
        let entry: Value = serde_json::from_str(&self.bed.read("registry/packages/acme/tool/1.0.0.json")).unwrap();
        let digest = |which: &str| entry["resolved"][which]["digest"].as_str().unwrap().parse().unwrap();
        StatementTarget { package: TOOL.to_owned(), manifest: digest("manifest"), bundle: digest("bundle") }
    }

    fn say(&self, status: &str, sequence: u64, issued: i64, validity: u64) {
        let statement = self.statement(status, sequence, issued, validity);
        self.place(&statement, &statement);
    }

    /// Places a statement, with a signature of these bytes.
    fn place(&self, statement: &[u8], signed: &[u8]) {
        let folder = format!("registry/packages/acme/tool/1.0.0.statements/{}", self.target().manifest.hex());
        let name = format!("{folder}/{}", Digest::of(statement).hex());
        self.bed.write(&format!("{name}.json"), statement);
        self.bed.write(&format!("{name}.X.minisig"), minisign::sign(&self.key, signed, "x"));
    }
}

/// A run under a layer that goes by the statements of somebody, who states something first.
fn believed(bed: &TestBed, more: &str, state: impl Fn(&Believed<'_>)) -> Scene {
    bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
    let signer = Believed { bed, key: SecretKey::generate().unwrap() };
    state(&signer);
    let entry = format!("{{registry: registry, signed_by: [{{minisign: {}}}]{more}}}", signer.key.public());
    bed.write("added.yaml", format!("registry_url: registry\ntrusted_registries: [{entry}]\n"));
    Scene::run().env("SMCP_SYSTEM_CONFIG", bed.path("added.yaml").to_str().unwrap())
}

/// Every file below a folder.
fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}
