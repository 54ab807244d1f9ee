//! `smcp man`: the manual pages.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::app::App;
use crate::cli::args::Arguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority as authority;

/// Print a manual page, or write all of them into a folder.
///
/// `smcp man run | man -l -` shows the page of `smcp run`.
#[derive(Debug, Args)]
pub(super) struct ManCommand {
    /// The command it is about, such as `policy check` [default: smcp itself]
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write the pages of all commands into this folder, such as ~/.local/share/man/man1
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl ManCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let mut root = Arguments::command().disable_help_subcommand(true);
        root.build();
        if let Some(dir) = &self.dir {
            let path = app.path(dir)?;
            let pages = write(&root, &path).with_context(|| format!("while writing into {}", dir.display()))?;
            app.notice(&format!("{pages} pages are in {}", dir.display()));
            return Ok(Exit::SUCCESS);
        }
        let found = self.command.iter().try_fold(&root, |command, word| command.find_subcommand(word));
        let unknown = || anyhow!("there is no command `smcp {}`; `smcp --help` lists them", self.command.join(" "));
        let page = page(found.ok_or_else(unknown).map_err(Failure::usage)?)?;
        app.out().write_all(&page)?;
        Ok(Exit::SUCCESS)
    }
}

/// Returns the page of one command.
fn page(command: &clap::Command) -> std::io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

/// Writes the pages of a command and its subcommands, each as `smcp-NAME.1`. Returns how many there are.
fn write(root: &clap::Command, path: &std::path::Path) -> std::io::Result<usize> {
    let dir = authority::create_dir(path)?;
    let (mut todo, mut pages) = (vec![root], 0);
    while let Some(command) = todo.pop() {
        dir.write(Man::new(command.clone()).get_filename(), page(command)?)?;
        todo.extend(command.get_subcommands().filter(|below| !below.is_hide_set()));
        pages += 1;
    }
    Ok(pages)
}
