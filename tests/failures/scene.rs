//! One run of the binary that ends in a failure.

use std::process::Command;

use crate::bed::Ran;
use crate::bed::TestBed;

/// The package of all scenes.
pub(crate) const TOOL: &str = "acme/tool@1.0.0";

/// A command line, and the special conditions of its process.
pub(crate) struct Scene {
    line: String,
    json: Option<String>,
    env: Vec<(&'static str, String)>,
    /// A program that starts smcp, such as one that limits it.
    wrapper: Vec<String>,
    input: &'static str,
}

impl Scene {
    /// `smcp` with these words.
    pub(crate) fn of(line: &str) -> Self {
        Self { line: line.to_owned(), json: None, env: Vec::new(), wrapper: Vec::new(), input: "" }
    }

    /// Runs the package with `smcp run`.
    pub(crate) fn run() -> Self {
        Self::of(&format!("run {TOOL}"))
    }

    /// The same package from another registry.
    pub(crate) fn run_from(registry: &str) -> Self {
        Self::of(&format!("--registry {registry} run {TOOL}"))
    }

    /// Sets the line that gives the document, if `--json` and a dry run are not enough.
    pub(crate) fn json(mut self, line: &str) -> Self {
        self.json = Some(line.to_owned());
        self
    }

    /// Adds a variable.
    pub(crate) fn env(mut self, name: &'static str, value: &str) -> Self {
        self.env.push((name, value.to_owned()));
        self
    }

    /// Starts it by another program.
    pub(crate) fn behind(mut self, wrapper: &[&str]) -> Self {
        self.wrapper = wrapper.iter().map(|word| (*word).to_owned()).collect();
        self
    }

    /// Runs it with output for people.
    pub(crate) fn told(&self, bed: &TestBed) -> Ran {
        self.start(bed, &self.line)
    }

    /// Runs it with output for machines.
    pub(crate) fn document(&self, bed: &TestBed) -> Ran {
        let dry = self.line.replacen("run ", "run --dry-run ", 1);
        self.start(bed, &format!("--json {}", self.json.as_ref().unwrap_or(&dry)))
    }

    fn start(&self, bed: &TestBed, line: &str) -> Ran {
        let mut smcp = bed.smcp(line).input(self.input);
        if let [program, words @ ..] = &self.wrapper[..] {
            let mut command = Command::new(program);
            command.args(words).arg(smcp.command.get_program()).args(smcp.command.get_args());
            command.env_clear().current_dir(bed.path(""));
            command.envs(smcp.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            smcp.command = command;
        }
        self.env.iter().fold(smcp, |smcp, (name, value)| smcp.env(name, value)).run()
    }
}
