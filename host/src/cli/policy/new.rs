//! `smcp policy new`: a project for a policy, which works as it stands.

use anyhow::Context as _;
use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::build::LanguageArgument;
use smcp_author as author;
use smcp_author::Language;
use smcp_authority as authority;
use smcp_model::name::PolicyName;
use smcp_report::style::Span;

/// Begin a policy: a project that builds and passes its cases as it stands.
///
/// Writes the folder NAME with a small rule, its settings, three cases, a README and a CI file. Everything that it needs
/// of smcp is inside; nothing is downloaded.
#[derive(Debug, Args)]
pub(crate) struct NewPolicyCommand {
    /// The policy's name, and that of the folder, which is made here
    #[arg(value_name = "NAME")]
    name: PolicyName,
    /// The language that it is written in
    #[arg(long, value_name = "LANGUAGE", default_value = "rust")]
    lang: LanguageArgument,
}

impl NewPolicyCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let Self { name, lang } = self;
        let language = Language::from(lang);
        let here = &app.places().working_directory;
        let folder = authority::open_dir(here).context("while opening the current folder").map_err(Failure::usage)?;
        author::begin(&folder, language, &name).map_err(Failure::usage)?;
        // The commands that follow, in their order.
        let next =
            [("next", format!("cd {name}")), ("", "smcp policy build".to_owned()), ("", "smcp policy test".to_owned())];
        let rows = next.map(|(title, command)| (title, Span::plain(command)));
        let done = format!("{name} is begun, in {language}: README.md says what to change");
        app.done(&done, &rows)?;
        Ok(Exit::SUCCESS)
    }
}
