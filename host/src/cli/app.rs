//! What every command needs: streams, sessions, and what options name.

mod files;
pub(super) mod rules;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;

use crate::cli::answer::AnswerWriter;
use crate::cli::app::rules::Undertaking;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::format::AnswerFormat;
use crate::cli::global::Global;
use crate::cli::invocation::Invocation;
use crate::cli::invocation::OutputStreams;
use crate::cli::invocation::Stream;
use smcp_authority as authority;
use smcp_authority::InputError;
use smcp_authority::ReadError;
use smcp_config::Config;
use smcp_config::Places;
use smcp_config::discover::NamedBy;
use smcp_model::bounded;
use smcp_model::client_error::ClientError;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::path;
use smcp_model::path::PathError;
use smcp_model::progress::Progress;
use smcp_model::registry::Registry;
use smcp_model::request::Context;
use smcp_pipeline as pipeline;
use smcp_pipeline::Assignment;
use smcp_pipeline::Session;
use smcp_pipeline::SharedHost;
use smcp_pipeline::System;
use smcp_report::message;
use smcp_report::progress;
use smcp_report::prompt::Terminals;
use smcp_report::style::Span;
use smcp_report::style::Style;

/// The variable with the registry to use when the command line names none.
const REGISTRY: &str = "SMCP_REGISTRY";

/// What a command runs with: the invocation, the global options, and the folders that paths start at.
#[derive(Debug)]
pub(super) struct App {
    global: Global,
    places: Places,
    invocation: Invocation,
    host: SharedHost,
    /// The form of the answer on standard output.
    format: AnswerFormat,
    /// The time that counts as now, in seconds since the Unix epoch; `None` for the clock's.
    as_of: Option<u64>,
}

impl App {
    /// Makes the app of one command line; `host` evaluates its policies.
    pub(super) fn new(mut global: Global, invocation: Invocation, host: SharedHost) -> Self {
        let of_the_environment = invocation.system.variable(REGISTRY).map(|text| text.to_string_lossy().into_owned());
        global.registry = global.registry.or(of_the_environment);
        let places = Places {
            home: invocation.system.home(),
            working_directory: invocation.working_directory.clone(),
            system_folder: invocation.system_folder.clone(),
        };
        let format = if global.json() { AnswerFormat::Json } else { AnswerFormat::Human };
        Self { global, places, invocation, host, format, as_of: None }
    }

    /// Returns the app of another command line on the same machine, which starts in a folder and writes to other streams.
    pub(super) fn beside(
        &self,
        folder: &Path,
        global: Global,
        arguments: Vec<OsString>,
        system: System,
        (out, err): (impl io::Write + 'static, impl io::Write + 'static),
    ) -> Self {
        let invocation = Invocation {
            arguments,
            system,
            working_directory: folder.to_owned(),
            system_folder: self.places.system_folder.clone(),
            streams: OutputStreams::piped(out, err),
        };
        Self::new(global, invocation, self.host.clone())
    }

    /// The command line, the program's name first.
    pub(super) fn arguments(&self) -> &[OsString] {
        &self.invocation.arguments
    }

    /// What the system gave this process.
    pub(super) const fn system(&self) -> &System {
        &self.invocation.system
    }

    /// The policy host of this process.
    pub(super) const fn host(&self) -> &SharedHost {
        &self.host
    }

    /// Returns a session for a command that decides nothing; see [`config`](Self::config).
    pub(super) fn session(&self, warning_threshold: Option<Score>) -> Result<Session, Failure> {
        Ok(self.session_of(self.config(warning_threshold)?))
    }

    /// Returns a session for a command that decides; see [`config_to_decide`](Self::config_to_decide).
    pub(super) fn session_to_decide(
        &self,
        warning_threshold: Option<Score>,
        about: Option<Undertaking<'_>>,
    ) -> Result<Session, Failure> {
        Ok(self.session_of(self.config_to_decide(warning_threshold, about)?))
    }

    /// Returns a session for a command that starts a server, or reports what a start would do; see
    /// [`config_to_start`](Self::config_to_start).
    pub(super) fn session_to_start(
        &self,
        warning_threshold: Option<Score>,
        about: Option<Undertaking<'_>>,
    ) -> Result<Session, Failure> {
        Ok(self.session_of(self.config_to_start(warning_threshold, about)?))
    }

    fn session_of(&self, config: Config) -> Session {
        Session::new(config, self.invocation.system.clone(), self.host.clone())
    }

    /// The folders that relative paths and `~` refer to.
    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    /// Returns a path of the command line; a relative one starts at the working directory.
    pub(super) fn path(&self, path: &Path) -> Result<PathBuf, Failure> {
        let joined = self.places.working_directory.join(path);
        let relative = || PathError::Relative { path: path.display().to_string() };
        if joined.is_absolute() { Ok(joined) } else { Err(Failure::usage(relative())) }
    }

    /// Whether one JSON document is asked for.
    pub(super) fn json(&self) -> bool {
        self.format == AnswerFormat::Json
    }

    /// The form of the answer on standard output.
    pub(super) const fn format(&self) -> AnswerFormat {
        self.format
    }

    /// From now on, answers in the form that `--format` names. `--json` beside another form is refused.
    pub(super) fn answer_in(&mut self, format: Option<AnswerFormat>) -> Result<(), Failure> {
        let Some(format) = format else { return Ok(()) };
        if self.global.json() && format != AnswerFormat::Json {
            return Err(Failure::usage(anyhow::anyhow!("--json is --format json: leave one of the two out")));
        }
        self.format = format;
        Ok(())
    }

    /// The configuration that the command line names, as it is written there.
    pub(super) fn named_config(&self) -> Option<&Path> {
        self.global.config.as_deref()
    }

    /// Leaves standard output to a server: smcp prints no document there from now on.
    pub(super) const fn cede_stdout(&mut self) {
        self.format = AnswerFormat::Human;
    }

    /// Whether `--verbose` asks for more.
    pub(super) const fn is_verbose(&self) -> bool {
        self.global.verbose > 0
    }

    /// Whether `--quiet` asks only for what is wrong.
    pub(super) const fn is_quiet(&self) -> bool {
        self.global.quiet()
    }

    /// Standard output, for the answer of a command.
    pub(super) fn out(&self) -> AnswerWriter<Stream<'_>> {
        AnswerWriter(self.invocation.streams.out())
    }

    /// Standard error, for everything else.
    pub(super) fn err(&self) -> Stream<'_> {
        self.invocation.streams.err()
    }

    /// The style of standard output.
    pub(super) fn output_style(&self) -> Style {
        self.invocation.style(self.global.color(), self.invocation.streams.out_terminal)
    }

    /// The style of standard error.
    pub(super) fn error_style(&self) -> Style {
        self.invocation.style(self.global.color(), self.invocation.streams.err_terminal)
    }

    /// Which streams are terminals.
    pub(super) fn terminals(&self) -> Terminals {
        self.invocation.streams.terminals()
    }

    /// Returns the display of downloads, which is empty unless a user watches at a terminal.
    pub(super) fn progress(&self) -> Box<dyn Progress> {
        progress::watcher(
            self.terminals().stderr
                && !self.invocation.is_dumb()
                && self.format == AnswerFormat::Human
                && !self.is_quiet(),
        )
    }

    /// From now on, what is decided is decided as of another time. Only for what-ifs, which are not recorded.
    pub(super) const fn decide_as_of(&mut self, seconds: u64) {
        self.as_of = Some(seconds);
    }

    /// The time of a decision that is made now, in seconds since the Unix epoch.
    fn time(&self) -> u64 {
        self.as_of.unwrap_or_else(|| self.invocation.system.now())
    }

    /// Returns the context of an evaluation that is made now.
    pub(super) fn context(&self, trust: bool) -> Context {
        Context { evaluated_at: self.time(), trust, interactive: self.terminals().person() }
    }

    /// Returns a variable of this process, empty or not; `None` when it is not set, or the name is empty.
    pub(super) fn variable(&self, name: &OsStr) -> Option<&OsStr> {
        self.invocation.system.set_variable(name).filter(|_| !name.is_empty())
    }

    /// Shows on standard error what is done, unless `--quiet` is given.
    pub(super) fn done(&self, message: &str, results: &[(&str, Span)]) -> io::Result<()> {
        if self.is_quiet() {
            return Ok(());
        }
        message::done(message, results, &mut self.err(), &self.error_style())
    }

    /// Shows a notice on standard error, unless `--quiet` is given.
    pub(super) fn notice(&self, message: &str) {
        if !self.is_quiet() {
            self.warn_always(message);
        }
    }

    /// Shows a notice on standard error that the user must not miss.
    pub(super) fn warn_always(&self, message: &str) {
        // A standard error that can't be written changes nothing.
        let _ = message::notice(message, &mut self.err(), &self.error_style());
    }

    /// Reports why a command could not do its work, and returns the exit code.
    pub(super) fn fail(&self, failure: &Failure) -> Exit {
        if !self.format.failure(failure, &mut self.out()).is_ok_and(|written| written) {
            // When standard error can't be written either, there is no other place to report to.
            let _ = message::error(&failure.message(), &failure.details, &mut self.err(), &self.error_style());
        }
        Exit::Own(failure.exit)
    }

    /// Tells the client on standard input why nothing was started. A terminal is not a client: its user has read why.
    pub(super) fn refuse(&self, error: &ClientError) {
        if !self.terminals().stdin {
            pipeline::refuse(&self.invocation.system, error);
        }
    }

    /// Reads standard input to its end, at most `limit` bytes.
    pub(super) fn read_stdin(&self, limit: usize) -> Result<Vec<u8>, ReadError> {
        let stdin = (self.system().stdin)()?;
        bounded::read_within(stdin, limit, 0)?.ok_or(ReadError::TooLarge { limit })
    }

    /// Reads a document that the command line names: a file, or a pipe within `patience`; `-` is standard input.
    pub(super) fn read_document(&self, path: &Path, limit: usize, patience: Duration) -> Result<Vec<u8>, Failure> {
        let while_reading = || format!("while reading {}", path.display());
        if path == Path::new("-") {
            return self.read_stdin(limit).with_context(while_reading).map_err(Failure::usage);
        }
        let read = authority::read_input(&self.path(path)?, limit, patience);
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

    /// Returns the cache that the command line names.
    fn cache_dir(&self, path: &Path) -> Result<PathBuf, Failure> {
        let Places { home, working_directory, .. } = &self.places;
        let absolute = path::absolute(path, working_directory, home.as_deref());
        absolute.with_context(|| format!("while reading --cache-dir {}", path.display())).map_err(Failure::usage)
    }

    /// Returns the registry that the command line names.
    pub(super) fn registry(&self, text: &str) -> Result<Registry, Failure> {
        let Places { home, working_directory, .. } = &self.places;
        Registry::from_text(text, working_directory, home.as_deref()).map_err(Failure::usage)
    }

    /// Returns the options, with absolute values, with which smcp behaves the same when another program starts it.
    pub(super) fn carried_options(&self) -> Result<Vec<(&'static str, OsString)>, Failure> {
        let location = self.location()?;
        let config = (location.named_by != NamedBy::Nobody).then(|| location.file.into_os_string());
        let registry = self.global.registry.as_deref().map(|text| self.registry(text)).transpose()?;
        let registry = registry.map(|registry| match registry {
            Registry::Url(url) | Registry::Official(url) => url.as_str().into(),
            Registry::Oci(place) => place.to_string().into(),
            Registry::Directory(path) => path.into_os_string(),
        });
        let cache_dir = self.global.cache_dir.as_deref().map(|path| self.cache_dir(path)).transpose()?;
        let options =
            [("--config", config), ("--registry", registry), ("--cache-dir", cache_dir.map(PathBuf::into_os_string))];
        Ok(options.into_iter().filter_map(|(option, value)| Some((option, value?))).collect())
    }

    /// The text of `--registry`.
    pub(super) fn named_registry(&self) -> Option<&str> {
        self.global.registry.as_deref()
    }
}
