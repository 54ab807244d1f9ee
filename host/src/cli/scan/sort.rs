//! Whether smcp starts a server, and what the policies say of it then.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::args;
use crate::cli::args::Command;
use crate::cli::forecast::Forecast;
use crate::cli::run::RunCommand;
use crate::cli::scan::entry::ClientStart;
use crate::cli::scan::read;
use crate::cli::scan::shown;
use smcp_authority as authority;
use smcp_model::code_variable::changes_code;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::scan::PastKind;
use smcp_model::scan::StartWay;
use smcp_model::scan::Today;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;

/// Sorts servers. Each line through smcp is judged once.
pub(super) struct Sorter<'a> {
    app: &'a App,
    /// The file of this program.
    own: Option<PathBuf>,
    judged: RefCell<BTreeMap<GatedLine, Today>>,
}

/// A command line, the variables that go with it, and the folder that it starts in.
type GatedLine = (Vec<String>, Vec<(String, Option<String>)>, Option<String>);

impl<'a> Sorter<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        let own = authority::program_file().and_then(|file| authority::resolve(&file)).ok();
        Self { app, own, judged: RefCell::new(BTreeMap::new()) }
    }

    /// Returns how a server is started.
    pub(super) fn way(&self, started: &ClientStart) -> StartWay {
        let past = |kind, what: &str, remark: Option<&str>| StartWay::Past {
            kind,
            what: SafeText::quoted(what),
            fetches: false,
            remark: remark.map(SafeText::new),
        };
        match started {
            ClientStart::Url(url) => past(PastKind::Url, &shown::host_of(url), None),
            ClientStart::BuiltIn(kind) => past(PastKind::BuiltIn, kind, None),
            ClientStart::Unknown(why) => past(PastKind::Unknown, why, None),
            ClientStart::Command { words, variables, has_file, folder } => {
                let first = words.first().map_or("", String::as_str);
                if let Some(line) = shown::whole_line(words) {
                    return shown::command(&line, Some("its `command` is a whole line, and no program"));
                }
                if first.rsplit('/').next() != Some("smcp") {
                    return shown::command(words, None);
                }
                let gated = match has_file {
                    true => Err("which variables its `envFile` has is not known".to_owned()),
                    false => self.gated(words, variables, folder.as_deref()),
                };
                gated.unwrap_or_else(|why| past(PastKind::Command, first, Some(&why)))
            }
        }
    }

    /// Returns what a line of smcp starts, or why it counts as any other command.
    fn gated(
        &self,
        words: &[String],
        variables: &[(String, Option<String>)],
        folder: Option<&str>,
    ) -> Result<StartWay, String> {
        self.check_own(words)?;
        let line: Vec<OsString> = words.iter().map(OsString::from).collect();
        let parsed = args::parse(&line).map_err(|_| "this smcp does not understand the line".to_owned())?;
        let Command::Run(run) = parsed.command else { return Err("it starts no server".to_owned()) };
        let (reference, trust) = run.0.asked().ok_or("it starts no server")?;
        check_variables(&run.0, variables)?;
        let pinned = !matches!(reference.selector, Selector::Latest);
        let key = (words.to_vec(), variables.to_vec(), folder.map(str::to_owned));
        let known = self.judged.borrow().get(&key).cloned();
        let today = known.unwrap_or_else(|| {
            let environment = variables.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
            match folder.map(Path::new) {
                Some(folder) if !folder.is_absolute() => Today {
                    state: "unknown",
                    message: Some(SafeText::new("its `cwd` is no whole path, and rules may be in that folder")),
                },
                folder => {
                    let started = self.app.started_elsewhere(parsed.global, line, environment, folder);
                    today(&started, reference, trust)
                }
            }
        });
        self.judged.borrow_mut().insert(key, today.clone());
        Ok(StartWay::Gated { package: SafeText::new(&reference.to_string()), pinned, today })
    }

    /// Checks that a program is this one.
    fn check_own(&self, words: &[String]) -> Result<(), String> {
        let program = words.first().map_or("", String::as_str);
        let path = Path::new(program);
        // A bare name the client finds on its own PATH.
        let is_own = !program.contains('/')
            || path.is_absolute() && authority::resolve(path).ok().is_some_and(|path| Some(path) == self.own);
        let own = self.own.as_deref().unwrap_or(Path::new("smcp")).display();
        if is_own { Ok(()) } else { Err(format!("it is called smcp, and is not this one ({own})")) }
    }
}

/// Checks that neither the entry nor the line has a variable by which other code runs than what was judged.
fn check_variables(run: &RunCommand, variables: &[(String, Option<String>)]) -> Result<(), String> {
    let (names, file) = run.variable_names();
    let mut names: Vec<_> = variables.iter().map(|(name, _)| name.clone()).chain(names).collect();
    if let Some(file) = file {
        let text = if file.is_absolute() { read::text(file).ok().flatten() } else { None };
        let read = text.and_then(|text| pipeline::variables(text.as_bytes()).ok());
        let read = read.ok_or("which variables its --env-file has is not known")?;
        names.extend(read.iter().map(|variable| variable.name().to_owned()));
    }
    names.iter().find(|name| changes_code(name)).map_or(Ok(()), |name| Err(code_changed(name)))
}

/// Says what a variable does.
pub(super) fn code_changed(name: &str) -> String {
    format!("the variable {} changes which code runs", SafeText::quoted_value(name))
}

/// Returns what the policies say of a package now.
fn today(app: &App, reference: &PackageRef, trust: bool) -> Today {
    let forecast = match app.session_to_start(None, None) {
        Ok(session) => Forecast::of(session, reference, trust).0,
        Err(failure) => Forecast::Refused(failure.message().lines().next().unwrap_or_default().to_owned()),
    };
    let (state, message) = match forecast {
        Forecast::Fine => ("allowed", None),
        Forecast::Asked => ("asks", Some("a client has nobody to ask, so it is refused there".to_owned())),
        Forecast::Refused(why) => ("refused", Some(why)),
        Forecast::Missing(why) => ("missing", Some(why)),
        Forecast::Unknown(why) => ("unknown", Some(why)),
    };
    Today { state, message: message.map(|message| SafeText::one_line(&message)) }
}

impl App {
    /// Returns the app of a command line that a client starts. It writes nowhere, and sends nothing.
    fn started_elsewhere<'v>(
        &self,
        global: crate::cli::global::Global,
        line: Vec<OsString>,
        variables: impl Iterator<Item = (&'v String, &'v String)>,
        folder: Option<&Path>,
    ) -> Self {
        let mut system = self.system().clone();
        system.offline = true;
        system.caller = authority::caller();
        for (name, value) in variables {
            system.environment.retain(|(known, _)| known != name.as_str());
            system.environment.push((name.into(), value.into()));
        }
        let folder = folder.unwrap_or(&self.places().working_directory);
        self.beside(folder, global, line, system, (io::sink(), io::sink()))
    }
}
