//! `smcp policy build`: a component of a project, or of a module.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap::ValueEnum;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::inspect;
use crate::cli::policy::write::is_same_file;
use crate::cli::policy::write::refuse_other;
use smcp_author as author;
use smcp_author::Language;
use smcp_author::Project;
use smcp_authority as authority;
use smcp_model::deadline::Deadline;
use smcp_model::examination::Built;
use smcp_model::limits;
use smcp_model::limits::compiling;
use smcp_model::name::PolicyName;
use smcp_model::policy::PolicySpec;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_model::verdict::FaultKind;
use smcp_pipeline::Session;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::PolicySet;
use smcp_report::built;
use smcp_report::json;

/// Make NAME.wasm of a project, of a core module, or of a finished component.
///
/// Runs the toolchain of the project's language, makes a component of what it made, and checks that as a start would.
/// NAME is what the policy calls itself. Prints an entry for the configuration, and compiles the policy ahead, so that no
/// start waits. docs/policy-build.md has the toolchains.
///
/// Exits 0 when NAME.wasm is there; else an older one is as it was.
#[derive(Debug, Args)]
pub(crate) struct BuildCommand {
    /// The project's directory, or a module or component
    #[arg(value_name = "DIR|FILE.wasm", default_value = ".", hide_default_value = true)]
    path: PathBuf,
    /// The language of a project that could be of several
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<LanguageArgument>,
    /// The component's file [default: NAME.wasm in the project, or beside the module]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The word on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum LanguageArgument {
    #[value(name = "rust")]
    Rust,
    #[value(name = "javascript")]
    JavaScript,
    #[value(name = "python")]
    Python,
    #[value(name = "go")]
    Go,
    #[value(name = "c")]
    C,
}

impl From<LanguageArgument> for Language {
    fn from(argument: LanguageArgument) -> Self {
        match argument {
            LanguageArgument::Rust => Self::Rust,
            LanguageArgument::JavaScript => Self::JavaScript,
            LanguageArgument::Python => Self::Python,
            LanguageArgument::Go => Self::Go,
            LanguageArgument::C => Self::C,
        }
    }
}

/// What was made, before anybody has looked whether it is a policy.
struct BuiltComponent {
    bytes: Vec<u8>,
    /// The folder for its file.
    folder: PathBuf,
    /// The module that it is made of, or the finished component that it is.
    input: Option<PathBuf>,
    is_finished: bool,
}

impl BuildCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session(None)?;
        let shown = self.path.display().to_string();
        let path = app.path(&self.path)?;
        if let Some(output) = &self.output {
            refuse_other(app, output, b"\0asm", "WebAssembly")?;
        }
        // With every link resolved: a toolchain sees the folder so, and the file that is written lies in it.
        let path =
            authority::resolve(&path).with_context(|| format!("while reading {shown}")).map_err(Failure::usage)?;
        let candidate = match authority::open_dir(&path) {
            Ok(dir) => {
                let language = self.lang.map(Language::from).map_or_else(|| Language::of(&dir), Ok);
                let language = language.with_context(|| shown.clone()).map_err(Failure::usage)?;
                let announce = |line: &str| announce(app, line);
                let project =
                    Project { folder: &path, dir: &dir, language, open: authority::open_dir, announce: &announce };
                let bytes = project.build().with_context(|| shown.clone()).map_err(Failure::usage)?;
                BuiltComponent { bytes, folder: path, input: None, is_finished: false }
            }
            Err(_) => finished(&path).with_context(|| shown.clone()).map_err(Failure::usage)?,
        };
        let output = self.output.as_deref().map(|output| app.path(output)).transpose()?;
        let built = keep(&session, candidate, output, &shown, &mut *app.progress())?;
        if let Some(why) = app.host().not_kept() {
            app.notice(&format!("its compiled code can't be kept, so that every start compiles it: {why}"));
        }
        if app.json() {
            json::write(&built::document(&built), &mut app.out())?;
        } else {
            built::human(&built, &mut app.out(), &app.output_style())?;
        }
        Ok(Exit::SUCCESS)
    }
}

/// Shows a command line that is about to be run.
fn announce(app: &App, line: &str) {
    if !app.is_quiet() {
        // A standard error that can't be written changes nothing.
        let _ = writeln!(app.err(), "$ {}", SafeText::new(line));
    }
}

/// Reads a module, and makes a component of it; or reads a component, which stays as it is.
fn finished(path: &Path) -> anyhow::Result<BuiltComponent> {
    let bytes = authority::read_file(path, compiling::MODULE_FILE)?;
    let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
    let begins_as_module = bytes.starts_with(b"\0asm\x01\0\0\0");
    // What is neither is told by what tells it of any policy.
    let bytes = if begins_as_module { author::from_module(&bytes)? } else { bytes };
    Ok(BuiltComponent { bytes, folder, input: Some(path.to_owned()), is_finished: !begins_as_module })
}

/// Checks a component as a start would, compiles it into the store, and gives it its file.
fn keep(
    session: &Session,
    candidate: BuiltComponent,
    output: Option<PathBuf>,
    shown: &str,
    progress: &mut dyn Progress,
) -> Result<Built, Failure> {
    let BuiltComponent { bytes, folder, input, is_finished } = candidate;
    let refused = |fault: &Fault| inspect::refused(shown, fault);
    let component = Component::new(bytes.clone());
    let limits = limits::PolicyLimits::DEFAULT;
    smcp_policy::ComponentShape::of(&bytes, limits.component_size).map_err(|fault| refused(&fault))?;
    let host = session.host()?;
    // Messages have the policy's own name from here on: before, it is not known.
    let unnamed: PolicyName = "policy".parse().map_err(Failure::usage)?;
    let bound = bind(PolicySpec::file(unnamed, &folder, json!({})), &component)?;
    let _ahead = host.prepare([&bound], Deadline::none(), progress);
    let inspection = inspect::inspect(host, shown, bytes.clone()).map_err(|fault| refused(&fault))?;
    let name: PolicyName = inspection.name.as_str().parse().map_err(Failure::usage)?;
    let file = output.unwrap_or_else(|| folder.join(format!("{name}.wasm")));
    let is_there = input.is_some_and(|input| is_same_file(&input, &file));
    if is_there && !is_finished {
        let file = file.display();
        let message = "would be written over the module that it is made of\n  → name another file with --output";
        return Err(Failure::usage(anyhow::anyhow!("{file} {message}")));
    }
    if !is_there {
        write(&file, &bytes)?;
    }
    let spec = PolicySpec::file(name.clone(), &file, json!({}));
    let loaded = PolicySet::load(host, [bind(spec, &component)?]);
    let fault = loaded.policies().first().and_then(|policy| policy.fault().cloned());
    let settings = fault.filter(|fault| fault.kind == FaultKind::Settings).map(|fault| fault.message);
    Ok(Built { inspection, file, settings })
}

fn bind(spec: PolicySpec, component: &Component) -> Result<Bound, Failure> {
    Bound::new(spec, Ok(component.clone())).map_err(|mismatch| Failure::usage(anyhow::anyhow!("{mismatch:?}")))
}

/// Gives the component its file, whole or not at all.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = || {
        let name = file.file_name().and_then(|name| name.to_str()).context("its name is not UTF-8")?;
        let folder = authority::open_dir(file.parent().unwrap_or(Path::new("/")))?;
        anyhow::Ok(author::write_component(&folder, name, bytes)?)
    };
    written().with_context(|| format!("while writing {}", file.display())).map_err(Failure::from)
}
