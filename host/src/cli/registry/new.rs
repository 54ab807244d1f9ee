//! `smcp registry new`: a first manifest.json.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap::ValueEnum;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_bundle::manifest::ServerRuntime;
use smcp_bundle::manifest::scaffold;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_report::style::Span;

/// Write a manifest.json for the project in a directory, which is made when it is not there yet.
///
/// Name, version and command are taken from package.json or pyproject.toml where there is one; look at what was written
/// before you publish it. docs/manifest.md has every key.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewCommand {
    /// The package and its version [default: what the project says]
    #[arg(long, value_name = "ORG/NAME@VERSION")]
    name: Option<PackageRef>,
    /// What runs the server [default: what the project's files say]
    #[arg(long, value_name = "RUNTIME")]
    runtime: Option<RuntimeArgument>,
    /// The project's directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// The word on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum RuntimeArgument {
    Node,
    Python,
    Binary,
}

impl From<RuntimeArgument> for ServerRuntime {
    fn from(argument: RuntimeArgument) -> Self {
        match argument {
            RuntimeArgument::Node => Self::Node,
            RuntimeArgument::Python => Self::Python,
            RuntimeArgument::Binary => Self::Binary,
        }
    }
}

impl NewCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let name = match self.name {
            None => None,
            Some(PackageRef { id, selector: Selector::Exact(version) }) => Some((id, version)),
            Some(PackageRef { selector: Selector::Latest | Selector::Digest(_), .. }) => {
                let error = anyhow::anyhow!("--name needs a version that can be published, such as acme/tool@1.0.0");
                return Err(Failure::usage(error));
            }
        };
        let path = app.path(&self.directory)?;
        let made = authority::open_dir(&path).is_err();
        let dir = authority::create_shared_dir(&path)
            .with_context(|| format!("while making {}", self.directory.display()))
            .map_err(Failure::usage)?;
        let folder = authority::resolve(&path).unwrap_or(path.clone());
        let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let written = scaffold(&dir, &folder, name, self.runtime.map(ServerRuntime::from));
        if written.is_err() && made {
            authority::remove_empty_dir(&path);
        }
        let written = written.with_context(|| format!("in {}", self.directory.display())).map_err(Failure::usage)?;
        let reference = format!("{}@{}", written.id, written.version);
        let registry = app.named_registry().unwrap_or("registry");
        let next = ["smcp", "registry", "publish", "--registry", registry, &reference, &shown(&self.directory)];
        let rows = [
            ("package", Span::plain(reference.clone())),
            ("runtime", Span::plain(written.runtime.to_string())),
            ("starts", Span::plain(quoted(written.command.iter().map(String::as_str)))),
            ("next", Span::plain(quoted(next))),
        ];
        let file = self.directory.join("manifest.json");
        app.done(&format!("{} is written", shown(&file)), &rows)?;
        written.remarks.iter().for_each(|remark| app.notice(remark.as_str()));
        Ok(Exit::SUCCESS)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// Returns words as a shell reads them.
fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let is_plain = |word: &str| {
        !word.is_empty() && word.chars().all(|letter| letter.is_alphanumeric() || "@%+=:,./-_".contains(letter))
    };
    let quote = |word: &str| format!("'{}'", word.replace('\'', r"'\''"));
    let words = words.into_iter().map(|word| if is_plain(word) { word.to_owned() } else { quote(word) });
    words.collect::<Vec<_>>().join(" ")
}
