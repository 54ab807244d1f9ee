//! One run of `smcp` against one registry, and the checks after every run.

use std::sync::OnceLock;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::server::Reply;
use crate::server::Script;
use crate::server::Server;
use smcp_model::digest::Digest;

pub(crate) const REFERENCE: &str = "acme/tool@1.0.0";
pub(crate) const RESOLVE: &str = "/v1/org/acme/mcps/tool/resolve";

/// A package, as an honest registry serves it.
#[derive(Debug, Clone)]
pub(crate) struct Goods {
    pub(crate) entry: Value,
    pub(crate) manifest: Vec<u8>,
    pub(crate) bundle: Vec<u8>,
}

impl Goods {
    /// `acme/tool@1.0.0`, whose server leaves a mark when it starts.
    pub(crate) fn get() -> &'static Self {
        static GOODS: OnceLock<Goods> = OnceLock::new();
        GOODS.get_or_init(|| {
            let package = Package::shell(REFERENCE, "echo mark > \"$HOME/proof/started\"").good();
            Self::of(package.manifest(|manifest| manifest["package"]["git_sha"] = "0123456789abcdef".into()))
        })
    }

    /// Publishes a package and reads the result.
    pub(crate) fn of(package: Package) -> Self {
        let bed = TestBed::new();
        bed.configure("");
        let (id, version) = package.reference.split_once('@').unwrap();
        let path = format!("registry/packages/{id}/{version}.json");
        bed.publish(&package);
        let entry: Value = serde_json::from_str(&bed.read(&path)).unwrap();
        let blob = |kind: &str| {
            let digest = entry["resolved"][kind]["digest"].as_str().unwrap().replace(':', "-");
            std::fs::read(bed.path(&format!("registry/blobs/{digest}"))).unwrap()
        };
        Self { manifest: blob("manifest"), bundle: blob("bundle"), entry }
    }

    pub(crate) fn digest(&self, kind: &str) -> String {
        self.entry["resolved"][kind]["digest"].as_str().unwrap().to_owned()
    }

    pub(crate) fn artifact(&self, kind: &str) -> String {
        format!("/v1/org/acme/artifacts/{}/{kind}", self.digest(kind))
    }

    /// Returns the registry's answer with a change in it.
    pub(crate) fn entry_with(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut entry = self.entry.clone();
        change(&mut entry);
        entry.to_string()
    }

    /// Returns the script of an honest registry.
    pub(crate) fn honest(&self) -> Script {
        let mut script = Script::default();
        script.set(RESOLVE, Reply::with(200, &[("content-type", "application/json")], self.entry.to_string()));
        script.set(&self.artifact("manifest"), Reply::ok(&self.manifest));
        script.set(&self.artifact("bundle"), Reply::ok(&self.bundle));
        script
    }
}

/// Runs the package from the registry, in a separate home.
pub(crate) fn run(bed: &TestBed, server: &Server) -> Ran {
    bed.run(&format!("--registry {} run --timeout 20s {REFERENCE}", server.url()))
}

/// Checks that nothing was started, that nothing still runs, and that everything in the cache has its digest.
#[track_caller]
pub(crate) fn nothing_came_of_it(bed: &TestBed, name: &str) {
    assert!(!bed.has("proof/started"), "{name}: it was started");
    assert_eq!(bed.list(".mcp/cache/runs"), [""; 0], "{name}: nothing is left of a run");
    for blob in bed.list(".mcp/cache/blobs") {
        let bytes = std::fs::read(bed.path(&format!(".mcp/cache/blobs/{blob}"))).unwrap();
        assert_eq!(blob, Digest::of(&bytes).to_string().replace(':', "-"), "{name}: something false is in the cache");
    }
}

/// A hostile registry, and how the run ends.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) script: Script,
    pub(crate) exit: i32,
    pub(crate) says: &'static str,
}

/// Makes a table of cases about one path.
pub(crate) fn table(path: &str, rows: Vec<(&'static str, Reply, i32, &'static str)>) -> Vec<Case> {
    rows.into_iter()
        .map(|(name, reply, exit, says)| {
            let mut script = Goods::get().honest();
            script.set(path, reply);
            Case { name, script, exit, says }
        })
        .collect()
}

/// Checks that every case ends as it should, each in a separate home. Several run at once, because some of them wait.
pub(crate) fn all_end_as_they_should(cases: Vec<Case>) {
    std::thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || {
                let (bed, server) = (TestBed::new(), Server::start(case.script));
                let ran = run(&bed, &server);
                assert_eq!(ran.code, case.exit, "{}: {ran}", case.name);
                assert!(ran.stderr.contains(case.says), "{}: `{}` is not in: {ran}", case.name, case.says);
                assert_eq!(ran.stdout, "", "{}: {ran}", case.name);
                assert!(!server.requests().is_empty(), "{}: it was never asked", case.name);
                nothing_came_of_it(&bed, case.name);
            });
        }
    });
}

#[test]
fn an_honest_registry_is_believed() {
    let (bed, server) = (TestBed::new(), Server::start(Goods::get().honest()));
    run(&bed, &server).succeeds();
    assert!(bed.has("proof/started"));
    let requests = server.requests();
    let paths: Vec<_> = requests.iter().map(|request| request.path.as_str()).collect();
    let (manifest, bundle) = (Goods::get().artifact("manifest"), Goods::get().artifact("bundle"));
    assert_eq!(paths, [&format!("{RESOLVE}?ref=1.0.0"), &manifest, &bundle]);
    for request in &requests {
        let header = |name: &str| request.headers.get(name).map(String::as_str);
        assert_eq!((request.method.as_str(), header("accept-encoding")), ("GET", Some("identity")));
        assert!(header("user-agent").unwrap().starts_with("smcp/"), "{request:?}");
        assert_eq!((header("authorization"), header("cookie"), header("referer")), (None, None, None));
    }
    // A cached package is asked about again, but not downloaded again.
    run(&bed, &server).succeeds();
    assert_eq!(server.requests().len(), 4);
}
