//! What smcp and the peers find: a home, configurations, a registry, a cache, the inputs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use crate::Result;
use crate::agreement;
use crate::inputs;
use crate::plan::Plan;
use crate::process::Call;

/// How many policies of one's own there are in the cases.
pub(crate) const CUSTOM: [usize; 3] = [1, 10, 100];
/// The package whose server is ready at once, and one with very many files.
const PACKAGE: &str = "bench/server@1.0.0";
const LARGE: &str = "bench/large@1.0.0";
/// A folder in memory.
const MEMORY: &str = "/dev/shm";

/// Facts that every check allows, without a remark.
const FACTS: &str = r#"{"origin":"verified","cert_level":2,"score":88,"status":"published"}"#;

/// The configuration of smcp with the settings of the bench.
const POLICY: &str = "policy:
  allowed_origins: [official, verified]
  min_cert_level: 2
  min_score: 70
  warning_threshold: 0
  cert_score_check: enforce
  cert_mode: strict
";

/// The same with every check changed, for what-if.
const STRICTER: &str = "policy:
  allowed_origins: [official]
  min_cert_level: 3
  min_score: 80
  warning_threshold: 0
  cert_score_check: enforce
  cert_mode: strict
";

/// The folder of the bench, and one in memory that is removed at the end.
#[derive(Debug)]
pub(crate) struct World {
    folder: PathBuf,
    memory: PathBuf,
    path: String,
    smcp: PathBuf,
    /// Every input on a line.
    pub(crate) inputs: PathBuf,
    pub(crate) documents: Vec<String>,
    /// The one document of the cold cases.
    pub(crate) facts: PathBuf,
    /// Bytes of a policy of one's own.
    pub(crate) custom_size: usize,
    /// How many files the large package has.
    pub(crate) large_files: usize,
    /// How many packages the catalogue for what-if has.
    pub(crate) catalogue: usize,
}

/// Where the audit log is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Log {
    Memory,
    Disk,
}

impl World {
    pub(crate) fn make(plan: &Plan) -> Result<Self> {
        let folder = plan.work.clone();
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        for name in ["home", "first", "packages/server", "packages/large", "policies", "one", "audit"] {
            fs::create_dir_all(folder.join(name))?;
        }
        let memory = Path::new(MEMORY).join(format!("smcp-bench-{}", std::process::id()));
        fs::create_dir(&memory).map_err(|error| format!("`{}` can't be made: {error}", memory.display()))?;
        let servers = plan.server.parent().ok_or("the server has no folder")?;
        let documents = inputs::documents();
        let mut world = Self {
            path: format!("{}:/usr/bin:/bin", servers.display()),
            smcp: plan.smcp.clone(),
            inputs: folder.join("inputs.jsonl"),
            facts: folder.join("facts.json"),
            documents,
            custom_size: 0,
            large_files: if plan.quick { 200 } else { 20_000 },
            catalogue: if plan.quick { 2_000 } else { 100_000 },
            folder,
            memory,
        };
        fs::write(&world.inputs, world.documents.join("\n") + "\n")?;
        fs::write(&world.facts, FACTS)?;
        // Cedar's command line takes a request, and entities, of which there are none.
        fs::write(world.folder.join("request.json"), agreement::cedar_request(FACTS)?)?;
        fs::write(world.folder.join("entities.json"), "[]")?;
        fs::write(
            world.folder.join("cache.toml"),
            format!("[cache]\ndirectory = \"{}\"\n", world.text("extism-cache")),
        )?;
        world.make_policies(plan)?;
        world.make_packages()?;
        let old = world.configuration(Log::Memory, 0);
        fs::write(world.folder.join("stricter.yaml"), fs::read_to_string(old)?.replace(POLICY, STRICTER))?;
        fs::write(world.folder.join("catalogue.jsonl"), inputs::catalogue(world.catalogue).join("\n"))?;
        Ok(world)
    }

    /// A path below the folder, as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Distinct components: the one that checks the score, each with a section of its own that means nothing.
    fn make_policies(&mut self, plan: &Plan) -> Result<()> {
        let score = fs::read(plan.root.join("builtin-policies/dist/score.wasm"))?;
        let last = CUSTOM.iter().max().copied().unwrap_or_default();
        for number in 0..last {
            let section = [&[0, 6, 1, b'n'][..], &u32::try_from(number)?.to_le_bytes()].concat();
            let component = [&score[..], &section].concat();
            self.custom_size = component.len();
            fs::write(self.folder.join(format!("policies/{number}.wasm")), component)?;
        }
        for (log, file) in
            [(Log::Memory, self.memory.join("audit.jsonl")), (Log::Disk, self.folder.join("audit/audit.jsonl"))]
        {
            for custom in [0].iter().chain(&CUSTOM) {
                let mut text = format!(
                    "registry_url: {}\ncache_dir: {}\naudit_log: {}\n{POLICY}",
                    self.text("registry"),
                    self.text("cache"),
                    file.display()
                );
                if *custom > 0 {
                    text.push_str("  custom:\n");
                }
                for number in 0..*custom {
                    let source = self.text(&format!("policies/{number}.wasm"));
                    text.push_str(&format!(
                        "  - {{name: own-{number}, source: {source}, settings: {{min_score: 70}}}}\n"
                    ));
                }
                let configuration = self.configuration(log, *custom);
                fs::write(&configuration, text)?;
                fs::set_permissions(&configuration, fs::Permissions::from_mode(0o600))?;
            }
        }
        Ok(())
    }

    fn configuration(&self, log: Log, custom: usize) -> PathBuf {
        self.folder.join(format!("{}-{custom}.yaml", if matches!(log, Log::Memory) { "memory" } else { "disk" }))
    }

    fn make_packages(&self) -> Result<()> {
        for (reference, folder) in [(PACKAGE, "packages/server"), (LARGE, "packages/large")] {
            let (id, version) = reference.split_once('@').ok_or("a reference has a version")?;
            let manifest = serde_json::json!({
                "schema_version": 1,
                "package": {"id": id, "version": version},
                "runtime": {"type": "binary"},
                "entrypoint": {"command": ["bench-server"]},
            });
            fs::write(self.folder.join(folder).join("manifest.json"), manifest.to_string())?;
        }
        for number in 0..self.large_files {
            let folder = self.folder.join(format!("packages/large/lib/{}", number / 100));
            fs::create_dir_all(&folder)?;
            fs::write(folder.join(format!("{number}.js")), format!("module.exports = {number};\n").repeat(20))?;
        }
        for (reference, folder) in [(PACKAGE, "packages/server"), (LARGE, "packages/large")] {
            let facts = ["--origin", "verified", "--cert-level", "2", "--score", "88"];
            let publish =
                self.smcp(Log::Memory, 0).with(&["registry", "publish", "--registry", &self.text("registry")]);
            publish.with(&facts).with(&[reference, &self.text(folder)]).output(&[0])?;
        }
        Ok(())
    }

    /// smcp under one of the configurations.
    pub(crate) fn smcp(&self, log: Log, custom: usize) -> Call {
        let configuration = self.configuration(log, custom).display().to_string();
        self.in_home(Call::new(&self.smcp, &["--config", &configuration]))
    }

    pub(crate) fn eval(&self, log: Log, custom: usize) -> Call {
        self.smcp(log, custom).with(&["policy", "eval", "--facts", &self.facts.display().to_string()])
    }

    pub(crate) fn run(&self, log: Log) -> Call {
        self.smcp(log, 0).with(&["run", PACKAGE])
    }

    pub(crate) fn run_large(&self) -> Call {
        self.smcp(Log::Memory, 0).with(&["run", LARGE])
    }

    /// What the stricter rules would do to the catalogue.
    pub(crate) fn what_if(&self) -> Call {
        let old = self.configuration(Log::Memory, 0).display().to_string();
        let (new, catalogue) = (self.text("stricter.yaml"), self.text("catalogue.jsonl"));
        let arguments = ["policy", "diff", "--json", "--from", &old, "--to", &new, "--catalog", &catalogue];
        self.in_home(Call::new(&self.smcp, &arguments))
    }

    /// A process with nothing but a home and a search path.
    pub(crate) fn in_home(&self, call: Call) -> Call {
        call.set("HOME", self.text("home")).set("PATH", self.path.clone())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _left = fs::remove_dir_all(&self.memory);
    }
}
