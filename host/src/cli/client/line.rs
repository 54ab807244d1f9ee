//! The line of smcp that a client starts a package by.

use std::path::Path;

use anyhow::Context as _;
use anyhow::anyhow;

use crate::cli::app::App;
use crate::cli::client::Profile;
use crate::cli::failure::Failure;
use smcp_authority as authority;

/// A program and its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::cli) struct SmcpLine {
    /// smcp, by its absolute path.
    pub(in crate::cli) program: String,
    /// `run`, options, the package.
    pub(in crate::cli) args: Vec<String>,
}

impl SmcpLine {
    /// Returns the line that starts a package by the rules that hold here. `options` are those of `run`.
    pub(in crate::cli) fn of(app: &App, options: &[String], reference: &str) -> Result<Self, Failure> {
        let program = authority::program_file().context("while looking for smcp's own file").map_err(Failure::usage)?;
        let mut args = vec!["run".to_owned()];
        for (option, value) in app.carried_options()? {
            args.extend([option.to_owned(), text(Path::new(&value))?]);
        }
        args.extend(options.iter().cloned());
        args.push(reference.to_owned());
        Ok(Self { program: text(&program)?, args })
    }

    /// Checks that the client takes every word as it is written.
    pub(in crate::cli) fn check_expansion(&self, profile: &Profile) -> Result<(), Failure> {
        let mut words = std::iter::once(&self.program).chain(&self.args);
        let expanded = words.find_map(|word| Some((word, profile.expanded_in(word)?)));
        expanded.map_or(Ok(()), |(word, mark)| Err(expansion(word, mark, profile)))
    }
}

/// The failure of a word that a client would put something else in the place of.
pub(in crate::cli) fn expansion(word: &str, mark: &str, profile: &Profile) -> Failure {
    let name = profile.name;
    Failure::usage(anyhow!(
        "{word} has a `{mark}`, and {name} would put something else in its place\n  put it into a file that the \
         server reads, or name the place otherwise"
    ))
}

/// Returns a path as text.
pub(in crate::cli) fn text(path: &Path) -> Result<String, Failure> {
    let error = || anyhow!("{} can't stand in a client's file: it is not UTF-8", path.display());
    path.to_str().map(str::to_owned).ok_or_else(error).map_err(Failure::usage)
}
