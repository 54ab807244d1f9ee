//! `smcp mcp-config`: what makes a client start a package through smcp.
//!
//! It is printed, and written only on request: the file belongs to the client and its user.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context as _;
use anyhow::anyhow;
use clap::Args;
use clap::ValueEnum;

use crate::cli::app::App;
use crate::cli::client::Client;
use crate::cli::client::Profile;
use crate::cli::client::ServerEntry;
use crate::cli::client::file::ClientFile;
use crate::cli::client::merge::FileFormat;
use crate::cli::client::merge::MergeError;
use crate::cli::client::place::Folders;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::forecast::Forecast;
use smcp_authority as authority;
use smcp_model::limits;
use smcp_model::package::PackageRef;
use smcp_model::path;
use smcp_model::text::SafeText;
use smcp_report::style::Span;

/// Print what makes a client start a package through smcp, or write it into the client's file.
///
/// Standard output is what has to stand in the client's file, and nothing else. --config, --registry and --cache-dir of this command line, and
/// SMCP_CONFIG, are carried over: the client starts the package by the rules that hold here.
#[derive(Debug, Args)]
pub(super) struct McpConfigCommand {
    /// The package: ORG/NAME@VERSION, ORG/NAME@latest or ORG/NAME@sha256:DIGEST
    #[arg(value_name = "REF")]
    reference: PackageRef,
    /// Arguments for the server, after those of its manifest
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<String>,
    /// The client that will start it
    #[arg(long, value_enum)]
    client: Client,
    /// What the server is called in the client [default: the package's name]
    #[arg(long)]
    name: Option<ServerName>,
    /// Consent in advance to what would be asked: a client has nobody to ask
    #[arg(long)]
    trust: bool,
    /// A variable that the client gives the server; only its name, never its value
    #[arg(long, value_name = "KEY")]
    env: Vec<OsString>,
    /// What to print: the document as it stands in the client's file, or the server alone
    #[arg(long, value_enum, value_name = "WHAT", default_value = "document", conflicts_with = "write")]
    format: PrintFormat,
    /// Put it into the client's file, with a backup beside it
    #[arg(long)]
    write: bool,
    /// Replace another server of this name
    #[arg(long, requires = "write")]
    force: bool,
    /// The client's file, where it is not in its usual place
    #[arg(long, value_name = "PATH")]
    file: Option<PathBuf>,
}

/// What `--format` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PrintFormat {
    /// As it stands in the file.
    Document,
    /// Without its name and what is around it, as JSON.
    Server,
}

/// A name of a server that every client accepts, also as a part of the names of tools.
#[derive(Debug, Clone)]
struct ServerName(String); // INVARIANT: `is_name`, by `FromStr` and `of`.

impl ServerName {
    /// Returns the name of a package, with `-` in place of each character that a client may refuse.
    fn of(reference: &PackageRef) -> Self {
        let allowed = |character: char| if is_name_character(character) { character } else { '-' };
        Self(reference.id.name.as_str().chars().map(allowed).take(limits::SERVER_NAME).collect())
    }
}

impl FromStr for ServerName {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, anyhow::Error> {
        let fits = (1..=limits::SERVER_NAME).contains(&text.len()) && text.chars().all(is_name_character);
        fits.then(|| Self(text.to_owned())).ok_or_else(|| {
            anyhow!("a server's name is 1 to {} characters of A-Z, a-z, 0-9, `-` and `_`", limits::SERVER_NAME)
        })
    }
}

const fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_')
}

/// Parses the name of a variable. Any other text may be a secret value, so the error does not show it; clap's would, so
/// clap does not parse it.
fn parse_key(text: &OsStr) -> Result<String, KeyError> {
    let text = text.to_str().ok_or(KeyError)?;
    let first = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let rest = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if first && rest { Ok(text.to_owned()) } else { Err(KeyError) }
}

/// The text is not the name of a variable.
#[derive(Debug, thiserror::Error)]
#[error("expected the name of a variable, such as API_KEY, and no value: it would be there for everybody to read")]
struct KeyError;

impl McpConfigCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        // A wrong configuration is reported here: a client could only say that the server didn't start.
        let session = app.session(None)?;
        let profile = self.client.profile();
        let server = self.server(app, &profile)?;
        if self.write {
            self.put(app, &server, &profile)?;
        } else {
            self.print(app, &server, &profile)?;
        }
        // With `--quiet` the notice would not be shown.
        let forecast = if app.is_quiet() { Forecast::Fine } else { Forecast::of(session, &self.reference, self.trust) };
        self.advise(app, &server, &profile, &forecast);
        Ok(Exit::SUCCESS)
    }

    /// Prints what has to be in the client's file.
    fn print(&self, app: &App, server: &ServerEntry, profile: &Profile) -> Result<(), Failure> {
        let place = match self.place(app, profile) {
            Err(failure) if self.file.is_some() => return Err(failure),
            place => place.ok(),
        };
        let text = match self.format {
            PrintFormat::Document => profile.format().document(&profile.additions(server)).map_err(Failure::usage)?,
            PrintFormat::Server => format!("{:#}\n", profile.value(server)),
        };
        app.out().write_all(text.as_bytes())?;
        if self.format == PrintFormat::Server {
            return Ok(());
        }
        if let Some(place) = place {
            let how = match profile.format() {
                FileFormat::Json | FileFormat::Toml => "--write puts it there",
                FileFormat::Yaml => "where its first line stands there already, the rest goes below that",
            };
            app.notice(&format!("this goes into {}; {how}", place.display()));
        }
        if let (Some(command), Some(inner)) = (profile.takes_server, command_for_server(app)) {
            app.notice(&format!("or: {command} {} \"$({inner})\"", server.name));
        }
        Ok(())
    }

    /// Returns the server that the client has to start.
    fn server(&self, app: &App, profile: &Profile) -> Result<ServerEntry, Failure> {
        let program = authority::program_file().context("while looking for smcp's own file").map_err(Failure::usage)?;
        let mut args = vec!["run".to_owned()];
        for (option, value) in app.carried_options()? {
            args.extend([option.to_owned(), text(Path::new(&value))?]);
        }
        args.extend(self.trust.then(|| "--trust".to_owned()));
        args.push(self.reference.to_string());
        if !self.arguments.is_empty() {
            args.push("--".to_owned());
            args.extend(self.arguments.iter().cloned());
        }
        let variables: Result<_, _> = self.env.iter().map(|key| parse_key(key)).collect();
        let variables = variables.context("while reading --env").map_err(Failure::usage)?;
        let name = self.name.clone().unwrap_or_else(|| ServerName::of(&self.reference)).0;
        let server = ServerEntry { name, command: text(&program)?, args, variables };
        self.check_expansion(&server, profile)?;
        Ok(server)
    }

    /// Checks that the client takes every word as it is written. An argument may be a secret, so it isn't shown.
    fn check_expansion(&self, server: &ServerEntry, profile: &Profile) -> Result<(), Failure> {
        let given = server.args.len().saturating_sub(self.arguments.len());
        let mut words = std::iter::once(&server.command).chain(&server.args).enumerate();
        let expanded = words.find_map(|(index, word)| Some((index, word, profile.expanded_in(word)?)));
        let Some((index, word, mark)) = expanded else { return Ok(()) };
        let which = if index > given { format!("argument {} behind `--`", index - given) } else { word.clone() };
        let name = profile.name;
        Err(Failure::usage(anyhow!(
            "{which} has a `{mark}`, and {name} would put something else in its place\n  put it into a file that the \
             server reads, or name the place otherwise"
        )))
    }

    /// Returns the path of the client's file.
    fn place(&self, app: &App, profile: &Profile) -> Result<PathBuf, Failure> {
        let places = app.places();
        if let Some(file) = &self.file {
            let absolute = path::absolute(file, &places.working_directory, places.home.as_deref());
            return absolute
                .with_context(|| format!("while reading --file {}", file.display()))
                .map_err(Failure::usage);
        }
        let folders = Folders::of(app);
        let unknown =
            || anyhow!("HOME is not an absolute path, so the client's file can't be found; name it with --file");
        profile.file(&folders).ok_or_else(unknown).map_err(Failure::usage)
    }

    /// Puts the server into the client's file.
    fn put(&self, app: &App, server: &ServerEntry, profile: &Profile) -> Result<(), Failure> {
        let place = self.place(app, profile)?;
        let unchanged = || format!("{} was not changed", place.display());
        if profile.format() == FileFormat::Yaml {
            return Err(Failure::usage(with_advice(MergeError::Yaml).context(unchanged())));
        }
        let file = ClientFile::open(&place).with_context(unchanged).map_err(Failure::usage)?;
        let merged = profile.format().merge(file.text(), &profile.additions(server), self.force);
        let text = merged.map_err(|error| with_advice(error).context(unchanged())).map_err(Failure::usage)?;
        let label = format!("{} in {}", server.name, profile.name);
        if text == file.text() {
            app.notice(&format!("{label} starts {} already; nothing was changed", self.reference));
        } else {
            let backup = file.replace(&text).with_context(unchanged).map_err(Failure::usage)?;
            let rows = [
                Some(("file", Span::plain(file.path().display().to_string()))),
                backup.map(|backup| ("backup", Span::plain(backup.display().to_string()))),
                Some(("next", Span::plain(profile.reload))),
            ];
            let rows: Vec<_> = rows.into_iter().flatten().collect();
            let done = format!("{label} starts {} through smcp", self.reference);
            app.done(&done, &rows)?;
            if file.path() != place {
                app.notice(&format!("{} leads there, and stays a link", place.display()));
            }
        }
        file.exposed().iter().for_each(|exposed| app.warn_always(exposed));
        Ok(())
    }

    /// Shows what else the user has to know.
    fn advise(&self, app: &App, server: &ServerEntry, profile: &Profile, forecast: &Forecast) {
        if !server.variables.is_empty() && profile.keeps_values() {
            let keys = server.variables.join(", ");
            app.notice(&format!("{} has no place for secrets: write the value of {keys} there yourself", profile.name));
        }
        if let Some(notice) = forecast.notice(&self.reference) {
            app.notice(&notice);
        }
        if !self.trust && forecast.may_ask() {
            app.notice(
                "a client has nobody to ask: a package that needs consent is refused there, unless --trust gives it",
            );
        }
    }
}

/// Returns the command line of this process for a shell, with `--format server` added; `None` when a shell could not
/// read it.
fn command_for_server(app: &App) -> Option<String> {
    let words: Option<Vec<_>> = app.arguments().iter().map(|word| quoted(word.to_str()?)).collect();
    let mut words = words?;
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    words.insert(end, "--format server".to_owned());
    Some(words.join(" "))
}

/// Returns a word as a shell reads it; `None` when it has characters that can't be shown.
fn quoted(word: &str) -> Option<String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_@%+=:,./-".contains(character);
    match word {
        _ if SafeText::new(word).as_str() != word => None,
        "" => Some("''".to_owned()),
        _ if word.chars().all(is_plain) => Some(word.to_owned()),
        _ => Some(format!("'{}'", word.replace('\'', "'\\''"))),
    }
}

/// Returns the error of a merge, with what to do about it.
fn with_advice(error: MergeError) -> anyhow::Error {
    let advice = match error {
        MergeError::Taken(_) => "\n  --name gives this one another name, --force replaces the other",
        MergeError::Json(_) | MergeError::Toml(_) | MergeError::Layout | MergeError::Yaml => {
            "\n  without --write, this command prints what to add by hand"
        }
        MergeError::NotAnObject | MergeError::Section { .. } | MergeError::Twice(_) => "",
    };
    anyhow!("{error}{advice}")
}

/// Returns a path as text.
fn text(path: &Path) -> Result<String, Failure> {
    let error = || anyhow!("{} can't stand in a client's file: it is not UTF-8", path.display());
    path.to_str().map(str::to_owned).ok_or_else(error).map_err(Failure::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_has_a_name_that_every_client_takes() {
        let long = format!("acme/{}@1", "n".repeat(128));
        let cases = [("acme/tool@1.0.0", "tool"), ("a/my.tool_2@latest", "my-tool_2"), (&long, &"n".repeat(64))];
        for (reference, name) in cases {
            let name_of = ServerName::of(&reference.parse().unwrap());
            assert_eq!(name_of.0, name);
            name_of.0.parse::<ServerName>().unwrap();
        }
        for bad in ["", "a b", "a.b", "a/b", "ä", &"n".repeat(65)] {
            assert!(bad.parse::<ServerName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_shell_reads_the_words_that_were_typed() {
        let cases = [
            ("acme/x@1.0.0", Some("acme/x@1.0.0")),
            ("--config=a b", Some("'--config=a b'")),
            ("it's", Some("'it'\\''s'")),
            ("$(x)", Some("'$(x)'")),
            ("~/x", Some("'~/x'")),
            ("", Some("''")),
            ("a\nb", None),
        ];
        for (word, expected) in cases {
            assert_eq!(quoted(word).as_deref(), expected, "{word:?}");
        }
    }

    #[test]
    fn a_value_is_no_name_and_is_not_repeated() {
        for good in ["API_KEY", "_x", "a1"] {
            assert_eq!(parse_key(good.as_ref()).unwrap(), good);
        }
        for bad in ["", "1A", "API_KEY=hunter2", "A-B", "A B", "${X}", "ä"] {
            assert!(!parse_key(bad.as_ref()).unwrap_err().to_string().contains("hunter2"), "{bad}");
        }
    }
}
