//! The machine, the day, and the versions of everything.

use std::fs;
use std::path::Path;
use std::thread;

use crate::Result;
use crate::plan::Plan;
use crate::process::Call;

/// What a figure depends on.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) date: String,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) memory: f64,
    pub(crate) kernel: String,
    /// Whether the kernel says which pages were written (PAGEMAP_SCAN, Linux 6.7).
    pub(crate) has_pagemap_scan: bool,
    pub(crate) load_at_the_begin: String,
    /// Names and versions.
    pub(crate) versions: Vec<(&'static str, String)>,
}

impl Machine {
    pub(crate) fn look(plan: &Plan) -> Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let memory = fs::read_to_string("/proc/meminfo")?;
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
        let kibibytes: f64 = field(&memory, "MemTotal").trim_end_matches(" kB").parse()?;
        let [major, minor] = [0, 1].map(|part| {
            kernel.split(['.', '-']).nth(part).and_then(|number| number.parse::<u32>().ok()).unwrap_or_default()
        });
        Ok(Self {
            date: Call::new(Path::new("/bin/date"), &["-u", "+%Y-%m-%d %H:%M UTC"]).output(&[0])?.trim().to_owned(),
            processor: field(&processors, "model name"),
            cores: thread::available_parallelism()?.get(),
            memory: kibibytes / (1024.0 * 1024.0),
            has_pagemap_scan: (major, minor) >= (6, 7),
            kernel,
            load_at_the_begin: load()?,
            versions: versions(plan)?,
        })
    }
}

/// The mean numbers of running processes in the last 1, 5 and 15 minutes.
pub(crate) fn load() -> Result<String> {
    let load = fs::read_to_string("/proc/loadavg")?;
    Ok(load.split(' ').take(3).collect::<Vec<_>>().join(", "))
}

/// The value of the first line `NAME: VALUE`.
fn field(text: &str, name: &str) -> String {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    lines.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned()).next().unwrap_or_default()
}

fn versions(plan: &Plan) -> Result<Vec<(&'static str, String)>> {
    let ours = fs::read_to_string(plan.root.join("Cargo.lock"))?;
    let theirs = fs::read_to_string(plan.root.join("tests/bench/Cargo.lock"))?;
    let root = plan.root.display().to_string();
    // Where the sources are no checkout, no commit is known.
    let git = |arguments: &[&str]| {
        let call = Call::new(Path::new("/usr/bin/git"), &["-C", &root]).with(arguments);
        call.output(&[0]).map(|text| text.trim().to_owned()).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"]);
    let changed =
        if git(&["status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs/performance*"]).is_empty() {
            ""
        } else {
            ", with changes"
        };
    let mut versions = vec![
        ("smcp", format!("{}, commit {commit}{changed}", locked(&ours, "smcp"))),
        ("wasmtime in smcp", locked(&ours, "wasmtime")),
    ];
    for (built, name) in [(&plan.rego, "regorus"), (&plan.cedar, "cedar-policy")] {
        versions.extend(built.as_ref().map(|_| (name, locked(&theirs, name))));
    }
    versions.extend(plan.cedar_cli.as_ref().map(|_| ("cedar-policy-cli", plan.cedar_cli_version.clone())));
    if plan.extism.is_some() && plan.plugin.is_some() {
        versions
            .push(("extism", format!("{}, with wasmtime {}", locked(&theirs, "extism"), locked(&theirs, "wasmtime"))));
        versions.push(("extism-pdk", locked(&theirs, "extism-pdk")));
    }
    versions.push(("rustc", plan.rustc.trim_start_matches("rustc ").to_owned()));
    Ok(versions)
}

/// The version of a package in a lock file.
fn locked(lock: &str, name: &str) -> String {
    let rest = lock.split(&format!("name = \"{name}\"\nversion = \"")).nth(1).unwrap_or_default();
    rest.split('"').next().unwrap_or_default().to_owned()
}
