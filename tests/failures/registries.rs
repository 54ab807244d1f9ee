//! Registries that are down, give invalid answers, or lack the package.

use std::fs;
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::CertifiedKey;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde_json::Value;
use serde_json::json;

use crate::Row;
use crate::bed::Package;
use crate::bed::TestBed;
use crate::before::with_tool;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use crate::server::Stream;
use crate::server::Wrap;
use crate::trial::Trial;
use smcp_model::digest::Digest;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "the registry can't be opened, read or reached; 429, 5xx",
        holds: &[
            ("which", "registry `http://127.0.0.1:"),
            ("how often and at which addresses it was tried", "(at 127.0.0.1:1)"),
            ("the proxy if there is one", "through the proxy 127.0.0.1:1 of HTTPS_PROXY"),
            ("the reason", "(asked 3 times): Connection refused"),
        ],
        provoke: |trial| {
            trial.refuses(|_| Scene::run_from("https://registry.example").env("HTTPS_PROXY", "http://127.0.0.1:1"));
            trial.refuses(|_| Scene::run_from("nowhere"));
            trial.refuses(|_| Scene::run_from("http://127.0.0.1:1"));
            for status in [429, 500, 503] {
                answers(trial, || Reply::error(status, "later"));
            }
        },
    },
    Row {
        what: "everybody may write to the registry directory, or to what is read in it",
        holds: &[
            ("which folder or file", "everybody may write to `packages/acme/tool/1.0.0.json`"),
            ("its mode", "(mode 0777)"),
            ("what to do", "chmod o-w"),
        ],
        provoke: crate::places::open_registry,
    },
    Row {
        what: "the registry wants a log-in (401, 403)",
        holds: &[
            ("what it says", "who are you?"),
            ("how to log in", "smcp login --registry http://127.0.0.1:"),
            ("whether `SMCP_REGISTRY_TOKEN` was not sent and why", "SMCP_REGISTRY_TOKEN"),
        ],
        provoke: |trial| {
            for status in [401, 403] {
                trial.refuses(|_| {
                    let mut script = Script::default();
                    script.set("/", Reply::error(status, "who are you?"));
                    Scene::run_from(&Server::start(script).url()).env("SMCP_REGISTRY_TOKEN", "hunter2")
                });
                trial.never("hunter2");
            }
        },
    },
    Row {
        what: "`SMCP_REGISTRY_TOKEN` is no token",
        holds: &[("the variable", "SMCP_REGISTRY_TOKEN"), ("never its value", "holds no token")],
        provoke: |trial| {
            trial.refuses(|_| {
                Scene::run_from("https://registry.example").env("SMCP_REGISTRY_TOKEN", "two words of hunter2")
            });
            trial.never("hunter2");
        },
    },
    Row {
        what: "the registry's certificate does not fit",
        holds: &[
            ("why: dates; names; authority; no TLS", "an authority that this system does not know"),
            ("what to do about that", "SSL_CERT_FILE"),
        ],
        provoke: |trial| {
            trial.refuses(|_| {
                let server = Server::wrapped(Script::default(), Tls::of_nobody());
                Scene::run_from(&format!("https://localhost:{}", server.address().port()))
            });
        },
    },
    Row {
        what: "there are no authorities to trust",
        holds: &[("what `SSL_CERT_FILE` names", "[HOME]/none.pem"), ("and what that is", "which is empty")],
        provoke: |trial| {
            trial.refuses(|bed| {
                bed.write("none.pem", "");
                let server = Server::wrapped(Script::default(), Tls::of_nobody());
                let url = format!("https://localhost:{}", server.address().port());
                Scene::run_from(&url).env("SSL_CERT_FILE", bed.path("none.pem").to_str().unwrap())
            });
        },
    },
    Row {
        what: "a redirect to where a registry has no business",
        holds: &[("where to", "`http://registry.example/x`"), ("why not", "only https:// is followed")],
        provoke: |trial| answers(trial, || Reply::to("http://registry.example/x")),
    },
    Row {
        what: "no HTTP, another status, a web page, an encoding; no list of repositories, or more tags than are read",
        holds: &[("what came instead", "answered with a web page")],
        provoke: |trial| {
            answers(trial, || Reply::raw("SSH-2.0-OpenSSH_9.2\r\n"));
            answers(trial, || Reply::with(418, &[], ""));
            answers(trial, || Reply::with(200, &[("content-encoding", "gzip")], "x"));
            answers(trial, || Reply::with(200, &[("content-type", "text/html")], "<html>"));
        },
    },
    Row {
        what: "the same, and the cache knows the version",
        holds: &[
            ("how old the facts are", "the facts are from the cache and 2h"),
            ("why it can't be asked", "can't open it"),
        ],
        provoke: facts_from_the_cache,
    },
    Row {
        what: "the same, and what the cache knows is too old",
        holds: &[("both ages", "2days old, more than the 1day"), ("why the registry can't be asked", "can't open it")],
        provoke: |trial| {
            trial.refuses(|bed| {
                pulled_and_down(bed);
                aged(bed, 2 * 86_400 - 30);
                Scene::run()
            });
        },
    },
    Row {
        what: "the same, and what the cache knows is of a later time than now",
        holds: &[("how far", "in the future"), ("whether the clock is right", "is this machine's clock right?")],
        provoke: |trial| {
            trial.refuses(|bed| {
                pulled_and_down(bed);
                kept_at(bed, |at| at + 7_200);
                Scene::run()
            });
        },
    },
    Row {
        what: "the same, and `latest` is asked for",
        holds: &[("the versions that the cache knows", "that was used before: 1.0.0")],
        provoke: |trial| {
            trial.refuses(|bed| {
                pulled_and_down(bed);
                Scene::of("run acme/tool@latest")
            });
        },
    },
    Row {
        what: "the same, and a file is not in the cache",
        holds: &[
            ("which file", "does not have its bundle sha256:"),
            ("why the registry can't be asked", "can't open it"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                pulled_and_down(bed);
                fs::remove_file(bed.path(&format!(".mcp/cache/blobs/{}", blob(bed, "elsewhere", "bundle")))).unwrap();
                Scene::run()
            });
        },
    },
    Row {
        what: "no such package",
        holds: &[("the registry", "in registry `[HOME]/registry`"), ("similar names", "did you mean acme/tool?")],
        provoke: |trial| asks_for(trial, "acme/tol@1.0.0"),
    },
    Row {
        what: "no such version, nothing published for `latest`",
        holds: &[("the versions there are", "it has: 1.0.0")],
        provoke: |trial| {
            asks_for(trial, "acme/tool@2.0.0");
            trial.refuses(|bed| {
                bed.publish(&Package::shell(TOOL, "true").good().option("--status", "draft"));
                Scene::of("run acme/tool@latest")
            });
        },
    },
    Row {
        what: "a digest that several versions have",
        holds: &[("the versions", "several versions of `acme/tool`: 1.0.1, 1.0.0")],
        provoke: |trial| trial.refuses(one_bundle_twice),
    },
    Row {
        what: "a registry like the official one has nothing of the version that can be started",
        holds: &[
            ("why", "it is a package of npm, which would be fetched at every start"),
            ("what can be done instead", "`smcp import npm:tool@1.0.0` makes a package of it"),
        ],
        provoke: |trial| {
            let npm = json!({"registryType": "npm", "identifier": "tool", "version": "1.0.0"});
            trial.refuses(|_| official(&npm, Vec::new()));
        },
    },
    Row {
        what: "an MCP bundle is for another system, or fetches at start",
        holds: &[("which of the two", "fetches at every start")],
        provoke: |trial| {
            for change in [json!({"type": "uv"}), json!({"type": "node", "mcp_config": {"command": "npx"}})] {
                let manifest = json!({"manifest_version": "0.3", "name": "tool", "version": "1", "server": change});
                let bytes = smcp_bed::zip(&[("manifest.json", &manifest.to_string(), 0o644)]);
                let digest = Digest::of(&bytes).hex();
                let mcpb = json!({"registryType": "mcpb", "fileSha256": digest});
                trial.refuses(|_| official(&mcpb, bytes.clone()));
            }
        },
    },
    Row {
        what: "a file that the registry names and does not have",
        holds: &[("which file", "names a bundle that it does not have"), ("its digest", "sha256:")],
        provoke: |trial| {
            trial.refuses(|bed| {
                with_tool(bed);
                fs::remove_file(bed.path(&format!("registry/blobs/{}", blob(bed, "registry", "bundle")))).unwrap();
                Scene::run()
            });
        },
    },
];

/// Starts a registry that gives this answer to every request.
fn answers(trial: &Trial<'_>, reply: impl Fn() -> Reply) {
    trial.refuses(|_| {
        let mut script = Script::default();
        script.set("/", reply());
        Scene::run_from(&Server::start(script).url())
    });
}

/// Runs the package from a registry like the official one, whose version has this package with these bytes.
fn official(package: &Value, bytes: Vec<u8>) -> Scene {
    let server = Server::start_with(|address| {
        let mut package = package.clone();
        if package.get("identifier").is_none() {
            package["identifier"] = format!("http://{address}/file").into();
        }
        let server = json!({"name": "acme/tool", "version": "1.0.0", "packages": [package]});
        let mut script = Script::default();
        script.set("/v0.1/servers/acme%2Ftool/versions/1.0.0", Reply::ok(json!({"server": server}).to_string()));
        script.set("/file", Reply::ok(bytes));
        script
    });
    Scene::run_from(&format!("{}/v0.1", server.url()))
}

fn asks_for(trial: &Trial<'_>, reference: &str) {
    trial.refuses(|bed| {
        with_tool(bed);
        Scene::of(&format!("run {reference}"))
    });
}

/// Returns the path of the package's entry in a registry directory.
pub(crate) fn entry(bed: &TestBed, registry: &str) -> Value {
    serde_json::from_str(&bed.read(&format!("{registry}/packages/acme/tool/1.0.0.json"))).unwrap()
}

/// Returns the name of the file of its manifest or its bundle.
pub(crate) fn blob(bed: &TestBed, registry: &str, kind: &str) -> String {
    entry(bed, registry)["resolved"][kind]["digest"].as_str().unwrap().replace(':', "-")
}

fn pulled_and_down(bed: &TestBed) {
    with_tool(bed);
    bed.run(&format!("pull {TOOL}")).succeeds();
    fs::rename(bed.path("registry"), bed.path("elsewhere")).unwrap();
}

/// Makes the answer in the cache so many seconds old.
fn aged(bed: &TestBed, seconds: u64) {
    kept_at(bed, |at| at - seconds);
}

/// Changes the time of the answer in the cache.
fn kept_at(bed: &TestBed, change: impl FnOnce(u64) -> u64) {
    let [folder] = <[String; 1]>::try_from(bed.list(".mcp/cache/resolutions")).unwrap();
    let [name] = <[String; 1]>::try_from(bed.list(&format!(".mcp/cache/resolutions/{folder}"))).unwrap();
    let file = format!(".mcp/cache/resolutions/{folder}/{name}");
    let mut kept: Value = serde_json::from_str(&bed.read(&file)).unwrap();
    kept["resolved_at"] = change(kept["resolved_at"].as_u64().unwrap()).into();
    bed.write(&file, kept.to_string());
}

fn facts_from_the_cache(trial: &Trial<'_>) {
    let bed = TestBed::new();
    bed.configure("");
    pulled_and_down(&bed);
    aged(&bed, 7_230);
    trial.message(&bed.run(&format!("run {TOOL}")).succeeds().stderr);
    assert!(bed.has("proof/started"));
    let document = bed.run(&format!("--json policy check {TOOL}")).succeeds().document();
    trial.class(document["notices"][0]["code"].as_str().unwrap());
}

fn one_bundle_twice(bed: &TestBed) -> Scene {
    with_tool(bed);
    let first = bed.read("registry/packages/acme/tool/1.0.0.json");
    bed.write("registry/packages/acme/tool/1.0.1.json", first.replace("1.0.0", "1.0.1"));
    let digest = entry(bed, "registry")["resolved"]["bundle"]["digest"].as_str().unwrap().to_owned();
    Scene::of(&format!("run acme/tool@{digest}"))
}

/// TLS with a certificate that no trusted authority has signed.
struct Tls(Arc<ServerConfig>);

impl Tls {
    fn of_nobody() -> Self {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
        Self(Arc::new(config))
    }
}

impl Wrap for Tls {
    fn wrap(&self, stream: TcpStream) -> Option<Box<dyn Stream>> {
        let connection = ServerConnection::new(self.0.clone()).unwrap();
        Some(Box::new(StreamOwned::new(connection, stream)))
    }
}
