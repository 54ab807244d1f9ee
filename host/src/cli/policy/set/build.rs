//! `smcp policy set build`: the archive of a set, of a folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::set::show;
use crate::cli::policy::sign::ARCHIVE;
use crate::cli::policy::write::refuse_input;
use crate::cli::policy::write::refuse_other;
use crate::cli::policy::write::write_whole;
use smcp_authority as authority;
use smcp_model::limits::sets;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::message;
use smcp_report::style::Span;

/// The folder of policies in a set.
const POLICIES: &str = "policies.d";

/// Make the archive of a policy set of a folder, after checking it as a start does.
///
/// The folder holds `set.yaml`, and `policies.d/` with the components. Every policy is loaded and asked whether it accepts
/// its settings. The same files give the same bytes everywhere. Names that begin with a dot are left out.
#[derive(Debug, Args)]
pub(crate) struct BuildSetCommand {
    /// The folder
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// The archive; else the folder's name with `.tar.gz`, in this folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl BuildSetCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let folder = app.path(&self.folder)?;
        let folder = authority::resolve(&folder)
            .with_context(|| format!("while looking into {}", self.folder.display()))
            .map_err(Failure::usage)?;
        let output = match &self.output {
            Some(output) => app.path(output)?,
            None => {
                let name = folder.file_name().map_or("set".to_owned(), |name| name.to_string_lossy().into_owned());
                app.path(Path::new(&format!("{name}.tar.gz")))?
            }
        };
        refuse_other(app, &output, ARCHIVE, "archive of a set")?;
        let files = files(&folder).map_err(Failure::usage)?;
        refuse_input(app, &output, &files.keys().map(|name| folder.join(name)).collect::<Vec<_>>())?;
        let session = app.session_alone()?;
        let built = pipeline::sets::build_set(&session, &files, &folder, &mut *app.progress());
        let (archive, packed) = built.map_err(|error| Failure::usage(anyhow!(error)))?;
        let description =
            show::SetDescription::of(&packed, SafeText::new(&output.to_string_lossy()), app.system().now());
        if description.is_expired() {
            let message = "its time is over already: put a later `expires` into set.yaml";
            return Err(Failure::usage(anyhow!("{}: {message}", folder.display())));
        }
        let written = write_whole(&output, None, &archive);
        written.with_context(|| format!("while writing {}", output.display())).map_err(Failure::usage)?;
        if app.json() {
            json::write(&description.document(), &mut app.out())?;
            return Ok(Exit::SUCCESS);
        }
        let rows = [
            ("version", Span::plain(description.version().to_string())),
            ("expires", Span::plain(description.expires())),
            ("digest", Span::plain(description.digest().to_string())),
            ("policies", Span::plain(description.policies().to_string())),
            ("then", Span::plain(format!("policy_set: {{source: {}}}, under `policy`", output.display()))),
        ];
        message::done(&format!("{} is written", output.display()), &rows, &mut app.out(), &app.output_style())?;
        Ok(Exit::SUCCESS)
    }
}

/// Reads the files of a set. What else is in the folder is refused by the check of the whole.
fn files(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut room = usize::try_from(sets::UNPACKED).unwrap_or(usize::MAX);
    let mut add = |name: String| -> anyhow::Result<()> {
        let path = folder.join(&name);
        let bytes = authority::read_file(&path, room).with_context(|| format!("while reading {}", path.display()))?;
        room = room.saturating_sub(bytes.len());
        files.insert(name, bytes);
        Ok(())
    };
    for name in names(folder)? {
        if name != POLICIES {
            add(name)?;
            continue;
        }
        for name in names(&folder.join(POLICIES))? {
            add(format!("{POLICIES}/{name}"))?;
        }
    }
    Ok(files)
}

/// Returns the names in a folder, sorted, without those that begin with a dot.
fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    let found = authority::names(folder).with_context(|| format!("while looking into {}", folder.display()))?;
    let mut names = Vec::new();
    for name in found {
        let name = name.into_string().map_err(|name| anyhow!("{}: the name is not UTF-8", name.display()))?;
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    if names.len() > sets::ENTRIES {
        return Err(anyhow!("{} has more than {} files", folder.display(), sets::ENTRIES));
    }
    Ok(names)
}
