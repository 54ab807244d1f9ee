//! What every command needs: streams, configuration, circumstances.

use std::ffi::OsStr;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::io::IsTerminal as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use crate::authority;
use crate::authority::InputError;
use crate::cli::answer::Answer;
use crate::cli::args::ColorChoice;
use crate::cli::args::Global;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config;
use crate::config::Config;
use crate::config::ConfigError;
use crate::config::Places;
use crate::config::discover;
use crate::config::discover::NamedBy;
use crate::config::discover::Unread;
use crate::model::client_error::ClientError;
use crate::model::facts::Score;
use crate::model::limits;
use crate::model::path;
use crate::model::progress::Progress;
use crate::model::registry::Registry;
use crate::model::request::Context;
use crate::pipeline;
use crate::pipeline::Assignment;
use crate::report::json;
use crate::report::message;
use crate::report::progress;
use crate::report::prompt::Terminals;
use crate::report::style;
use crate::report::style::Style;

/// The streams, the global options, and the places that paths start at.
#[derive(Debug)]
pub(super) struct World {
    global: Global,
    places: Places,
}

impl World {
    /// Looks around once.
    pub(super) fn new(global: Global) -> Self {
        // Without a working directory there are only absolute paths.
        let working_directory = authority::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        Self { global, places: Places { home: authority::home(), working_directory } }
    }

    /// Where relative paths start.
    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    /// Whether one JSON document is wanted.
    pub(super) const fn json(&self) -> bool {
        self.global.json
    }

    /// Leaves standard output to a server: no document is printed there from now on.
    pub(super) const fn cede_stdout(&mut self) {
        self.global.json = false;
    }

    /// Whether more than the necessary is wanted.
    pub(super) const fn is_verbose(&self) -> bool {
        self.global.verbose > 0
    }

    /// Whether only what is wrong is wanted.
    pub(super) const fn is_quiet(&self) -> bool {
        self.global.quiet
    }

    /// Standard output: the answers of commands that answer.
    pub(super) fn out(&self) -> Answer<io::StdoutLock<'static>> {
        Answer(io::stdout().lock())
    }

    /// Standard error: everything else.
    pub(super) fn err(&self) -> io::StderrLock<'static> {
        io::stderr().lock()
    }

    /// How to write to standard output.
    pub(super) fn output_style(&self) -> Style {
        self.style(io::stdout().is_terminal(), &console::Term::stdout())
    }

    /// How to write to standard error.
    pub(super) fn error_style(&self) -> Style {
        self.style(io::stderr().is_terminal(), &console::Term::stderr())
    }

    fn style(&self, is_terminal: bool, terminal: &console::Term) -> Style {
        let choice = match self.global.color {
            ColorChoice::Auto => style::ColorChoice::Auto,
            ColorChoice::Always => style::ColorChoice::Always,
            ColorChoice::Never => style::ColorChoice::Never,
        };
        let columns = terminal.size_checked().map(|(_, columns)| usize::from(columns));
        Style::for_stream(choice, is_terminal, columns, authority::variable("NO_COLOR").is_some() || is_dumb())
    }

    /// Which streams are terminals.
    pub(super) fn terminals(&self) -> Terminals {
        Terminals { stdin: io::stdin().is_terminal(), stderr: io::stderr().is_terminal() }
    }

    /// Who watches downloads: a person at a terminal, or nobody.
    pub(super) fn progress(&self) -> Box<dyn Progress> {
        progress::watcher(self.terminals().stderr && !is_dumb() && !self.json() && !self.is_quiet())
    }

    /// The circumstances of an evaluation, now.
    pub(super) fn context(&self, trust: bool) -> Context {
        Context { evaluated_at: authority::now(), trust, interactive: self.terminals().person() }
    }

    /// A variable of ours, empty or not; none when the text is no name, or it is not set.
    pub(super) fn variable(&self, name: &OsStr) -> Option<OsString> {
        let found = authority::environment().into_iter().find(|(known, _)| known == name);
        found.filter(|_| !name.is_empty()).map(|(_, value)| value)
    }

    /// Says one thing on standard error that is worth knowing and changes nothing.
    pub(super) fn remark(&self, message: &str) {
        if !self.is_quiet() {
            self.insist(message);
        }
    }

    /// Says one thing on standard error that nobody may miss.
    pub(super) fn insist(&self, message: &str) {
        // A standard error that nobody reads changes nothing.
        drop(message::notice(message, &mut self.err(), &self.error_style()));
    }

    /// Says why a command could not do its work.
    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        let message = failure.message();
        if self.json() {
            let document = json::error(failure.code, &message, failure.exit.code(), failure.problems.clone());
            if json::write(&document, &mut self.out()).is_ok() {
                return failure.exit;
            }
        }
        // Nothing is left to say when standard error doesn't listen either.
        drop(message::error(&message, &failure.details, &mut self.err(), &self.error_style()));
        failure.exit
    }

    /// Tells a client why nothing was started for it, where one may be: a person at a terminal has read it.
    pub(super) fn refuse(&self, error: &ClientError) {
        if !self.terminals().stdin {
            pipeline::refuse(error);
        }
    }

    /// Reads a document that the command line names, a file or a pipe, within `patience`; `-` is standard input.
    pub(super) fn read_document(&self, path: &Path, limit: usize, patience: Duration) -> Result<Vec<u8>, Failure> {
        let while_reading = || format!("while reading {}", path.display());
        if path == Path::new("-") {
            return authority::read_stdin(limit).with_context(while_reading).map_err(Failure::usage);
        }
        let read = authority::read_input(&self.places.working_directory.join(path), limit, patience);
        let is_late = matches!(read, Err(InputError::Late(_)));
        read.with_context(while_reading).map_err(if is_late { Failure::timeout } else { Failure::usage })
    }

    /// Reads the variables of an `--env-file`, within `patience`.
    pub(super) fn variables(&self, path: &Path, patience: Duration) -> Result<Vec<Assignment>, Failure> {
        let path = if path == Path::new("-") { Path::new("./-") } else { path };
        let bytes = self.read_document(path, limits::ENV_FILE, patience)?;
        let read = pipeline::variables(&bytes).with_context(|| format!("while reading {}", path.display()));
        read.map_err(Failure::usage)
    }

    /// The configuration in force: the file, then what the command line changes.
    pub(super) fn config(&self, warning_threshold: Option<Score>) -> Result<Config, Failure> {
        let mut config = self.configured()?;
        if let Some(text) = &self.global.registry {
            config.override_registry(self.registry(text)?);
        }
        if let Some(path) = &self.global.cache_dir {
            config.override_cache_dir(self.cache_dir(path)?);
        }
        if let Some(threshold) = warning_threshold {
            config.raise_warning_threshold(threshold).map_err(Failure::usage)?;
        }
        pipeline::remarks_on_the_proxy(&config).iter().for_each(|remark| self.remark(remark));
        Ok(config)
    }

    /// The cache as the command line names it.
    fn cache_dir(&self, path: &Path) -> Result<PathBuf, Failure> {
        let Places { home, working_directory } = &self.places;
        let absolute = path::absolute(path, working_directory, home.as_deref());
        absolute.with_context(|| format!("while reading --cache-dir {}", path.display())).map_err(Failure::usage)
    }

    /// A registry as the command line names it.
    pub(super) fn registry(&self, text: &str) -> Result<Registry, Failure> {
        let Places { home, working_directory } = &self.places;
        Registry::from_text(text, working_directory, home.as_deref()).map_err(Failure::usage)
    }

    /// What somebody else has to be told so that the same holds for them as here: options with absolute values.
    pub(super) fn carried(&self) -> Result<Vec<(&'static str, OsString)>, Failure> {
        let variable = authority::variable(discover::USER_VARIABLE);
        let location = discover::user_file(self.global.config.as_deref(), variable.as_deref(), &self.places)?;
        let config = (location.named_by != NamedBy::Nobody).then(|| location.file.into_os_string());
        let registry = self.global.registry.as_deref().map(|text| self.registry(text)).transpose()?;
        let registry = registry.map(|registry| match registry {
            Registry::Url(url) => url.into(),
            Registry::Directory(path) => path.into_os_string(),
        });
        let cache_dir = self.global.cache_dir.as_deref().map(|path| self.cache_dir(path)).transpose()?;
        let options =
            [("--config", config), ("--registry", registry), ("--cache-dir", cache_dir.map(PathBuf::into_os_string))];
        Ok(options.into_iter().filter_map(|(option, value)| Some((option, value?))).collect())
    }

    /// The registry that `--registry` names.
    pub(super) fn named_registry(&self) -> Option<&str> {
        self.global.registry.as_deref()
    }

    /// What the file of the user layer says, with its remarks said; nothing of the command line.
    fn configured(&self) -> Result<Config, Failure> {
        let config = self.read_configuration()?;
        for notice in config.notices() {
            self.remark(&notice.to_string());
        }
        Ok(config)
    }

    fn read_configuration(&self) -> Result<Config, ConfigError> {
        let places = &self.places;
        let variable = authority::variable(discover::USER_VARIABLE);
        let location = discover::user_file(self.global.config.as_deref(), variable.as_deref(), places)?;
        let system_variable = authority::variable(discover::SYSTEM_VARIABLE);
        let unread = Unread {
            policies_dir: self.is_there(&location.policies_dir())?,
            system_file: self.is_there(Path::new(discover::SYSTEM_FILE))?,
            system_variable: system_variable.as_deref(),
        };
        discover::refuse_unread(&location, unread, places)?;
        match authority::read_file(&location.file, limits::CONFIG_FILE) {
            Ok(bytes) => config::parse(&bytes, &location.file, places),
            // A link that leads nowhere is not nothing: whoever made it meant rules.
            Err(error) if error.is_missing() && !self.is_there(&location.file)? => {
                location.missing(places)?;
                // Only to be mentioned, so one that can't be looked at is none.
                let is_there = |file: &PathBuf| authority::exists(file).is_ok_and(|there| there);
                let legacy = location.legacy_file(places).filter(is_there);
                Ok(Config::unconfigured(places, legacy.as_deref()))
            }
            Err(error) => Err(self.unreadable(&location.file, &error)),
        }
    }

    /// A file that can't be read. Below somebody else's HOME no `~` hides whose it is.
    fn unreadable(&self, path: &Path, error: &dyn fmt::Display) -> ConfigError {
        let home = self.places.home.as_deref();
        let below = home.filter(|home| path.starts_with(home));
        let foreign = below.and_then(|home| authority::foreign_owner(home).map(|uid| (home.display(), uid)));
        let Some((home, uid)) = foreign else { return ConfigError::unreadable(path, home, error) };
        let cause = format!(
            "{error}; HOME is {home}, which belongs to another user (uid {uid}): set it to your own home (`sudo -E` keeps \
             the caller's), or name a file with --config"
        );
        ConfigError::unreadable(path, None, &cause)
    }

    /// The file that the audit log is written to, for whoever only reads it; nothing is said of the configuration.
    pub(super) fn audit_log(&self) -> Result<Option<PathBuf>, Failure> {
        Ok(self.read_configuration()?.audit_log().map(Path::to_path_buf))
    }

    /// Whether rules may stand at `path`. Not being able to look is an error: nobody knows then.
    fn is_there(&self, path: &Path) -> Result<bool, ConfigError> {
        authority::exists(path).map_err(|error| self.unreadable(path, &error))
    }
}

/// Whether the terminal says of itself that it can do nothing but show text, as editors' shells and serial lines do.
fn is_dumb() -> bool {
    authority::variable("TERM").is_some_and(|terminal| terminal == "dumb")
}
