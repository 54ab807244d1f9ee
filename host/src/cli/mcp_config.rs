//! `smcp mcp-config`: what makes a client start a package through smcp.
//!
//! It is printed, and written only on request: the file belongs to the client and its user.

mod managed;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io::Write as _;
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
use crate::cli::client::line;
use crate::cli::client::line::SmcpLine;
use crate::cli::client::managed::ManagedClient;
use crate::cli::client::merge::FileFormat;
use crate::cli::client::merge::MergeError;
use crate::cli::client::place::Folders;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::forecast::Forecast;
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
    #[arg(value_name = "REF", required = true)]
    references: Vec<PackageRef>,
    /// Arguments for the server, after those of its manifest
    #[arg(last = true, value_name = "ARG")]
    arguments: Vec<String>,
    /// The client that will start it
    #[arg(long, value_enum, required_unless_present = "managed")]
    client: Option<Client>,
    /// Print the managed settings under which this client may start these packages and nothing else
    #[arg(long, value_enum, value_name = "CLIENT", conflicts_with_all = ["client", "format", "write", "file", "env"])]
    managed: Option<ManagedClient>,
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
        if let Some(client) = self.managed {
            self.print_managed(app, client)?;
            return Ok(Exit::SUCCESS);
        }
        let (Some(client), [reference]) = (self.client, self.references.as_slice()) else {
            return Err(Failure::usage(anyhow!("a client's file is made for one package at a time")));
        };
        let profile = client.profile();
        let server = self.server(app, &profile, reference)?;
        if self.write {
            self.put(app, &server, &profile, reference)?;
        } else {
            self.print(app, &server, &profile)?;
        }
        // With `--quiet` the notice would not be shown.
        let (forecast, required) =
            if app.is_quiet() { (Forecast::Fine, Vec::new()) } else { Forecast::of(session, reference, self.trust) };
        self.advise(app, &server, &profile, (reference, &forecast, &required));
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
                FileFormat::Yaml | FileFormat::Markdown => {
                    "where its first line stands there already, the rest goes below that"
                }
            };
            app.notice(&format!("this goes into {}; {how}", place.display()));
        }
        if let (Some(command), Some(inner)) = (profile.takes_server, command_for_server(app)) {
            app.notice(&format!("or: {command} {} \"$({inner})\"", server.name));
        }
        Ok(())
    }

    /// Returns the server that the client has to start.
    fn server(&self, app: &App, profile: &Profile, reference: &PackageRef) -> Result<ServerEntry, Failure> {
        let options: Vec<_> = self.trust.then(|| "--trust".to_owned()).into_iter().collect();
        let line = SmcpLine::of(app, &options, &reference.to_string())?;
        line.check_expansion(profile)?;
        // An argument may be a secret, so it isn't shown.
        let expanded = self.arguments.iter().zip(1..).find_map(|(word, at)| Some((at, profile.expanded_in(word)?)));
        if let Some((at, mark)) = expanded {
            return Err(line::expansion(&format!("argument {at} behind `--`"), mark, profile));
        }
        let SmcpLine { program: command, mut args } = line;
        if !self.arguments.is_empty() {
            args.push("--".to_owned());
            args.extend(self.arguments.iter().cloned());
        }
        let variables: Result<_, _> = self.env.iter().map(|key| parse_key(key)).collect();
        let variables = variables.context("while reading --env").map_err(Failure::usage)?;
        let name = self.name.clone().unwrap_or_else(|| ServerName::of(reference)).0;
        Ok(ServerEntry { name, command, args, variables })
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
    fn put(&self, app: &App, server: &ServerEntry, profile: &Profile, reference: &PackageRef) -> Result<(), Failure> {
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
            app.notice(&format!("{label} starts {} already; nothing was changed", reference));
        } else {
            let backup = file.replace(&text).with_context(unchanged).map_err(Failure::usage)?;
            let rows = [
                Some(("file", Span::plain(file.path().display().to_string()))),
                backup.map(|backup| ("backup", Span::plain(backup.display().to_string()))),
                Some(("next", Span::plain(profile.reload))),
            ];
            let rows: Vec<_> = rows.into_iter().flatten().collect();
            let done = format!("{label} starts {} through smcp", reference);
            app.done(&done, &rows)?;
            if file.path() != place {
                app.notice(&format!("{} leads there, and stays a link", place.display()));
            }
        }
        file.exposed().iter().for_each(|exposed| app.warn_always(exposed));
        Ok(())
    }

    /// Shows what else the user has to know.
    fn advise(
        &self,
        app: &App,
        server: &ServerEntry,
        profile: &Profile,
        (reference, forecast, required): (&PackageRef, &Forecast, &[String]),
    ) {
        if !server.variables.is_empty() && profile.keeps_values() {
            let keys = server.variables.join(", ");
            app.notice(&format!("{} has no place for secrets: write the value of {keys} there yourself", profile.name));
        }
        if let Some(notice) = forecast.notice(reference) {
            app.notice(&notice);
        }
        let missing: Vec<_> = required.iter().filter(|name| !server.variables.contains(name)).cloned().collect();
        if !missing.is_empty() {
            let options: Vec<_> = missing.iter().map(|name| format!("--env {name}")).collect();
            let (missing, options) = (missing.join(", "), options.join(" "));
            app.notice(&format!("{reference} does not start without {missing}: {options} has the client give it"));
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
        MergeError::NotAnObject
        | MergeError::Section { .. }
        | MergeError::Moved
        | MergeError::Comment
        | MergeError::Twice(_) => "",
    };
    anyhow!("{error}{advice}")
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
