//! Whether smcp starts a server, and what of its command line may be shown.
//!
//! Arguments and URLs may hold secrets: of both only what names the server is shown.

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
use crate::cli::scan::entry::ClientStart;
use crate::cli::scan::package;
use crate::cli::scan::package::Fetcher;
use crate::cli::scan::package::PackagedLine;
use smcp_authority as authority;
use smcp_model::fetches::Fetches;
use smcp_model::manifest::Entrypoint;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::scan::PastKind;
use smcp_model::scan::StartWay;
use smcp_model::scan::Today;
use smcp_model::text::SafeText;

/// Variables by which the system's loader puts other code into a program.
const LOADER: [&str; 2] = ["LD_", "DYLD_"];
/// Options of `docker run` whose value is a word of its own, as lines of servers have them.
const DOCKER_OPTIONS: [&str; 24] = [
    "-e",
    "--env",
    "--env-file",
    "-v",
    "--volume",
    "--mount",
    "--name",
    "--network",
    "--net",
    "-p",
    "--publish",
    "-w",
    "--workdir",
    "-u",
    "--user",
    "--platform",
    "--entrypoint",
    "--pull",
    "-h",
    "--hostname",
    "--add-host",
    "-l",
    "--label",
    "--memory",
];
/// The endings of files that an interpreter runs.
const SCRIPTS: [&str; 7] = [".js", ".mjs", ".cjs", ".ts", ".py", ".sh", ".rb"];
/// The programs of containers.
const CONTAINERS: [&str; 3] = ["docker", "podman", "nerdctl"];

/// Sorts servers. Each line through smcp is judged once.
pub(super) struct Sorter<'a> {
    app: &'a App,
    /// The file of this program.
    own: Option<PathBuf>,
    judged: RefCell<BTreeMap<GatedLine, Today>>,
}

/// A command line, and the variables that go with it.
type GatedLine = (Vec<String>, Vec<(String, Option<String>)>);

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
            ClientStart::Url(url) => past(PastKind::Url, &host_of(url), None),
            ClientStart::BuiltIn(kind) => past(PastKind::BuiltIn, kind, None),
            ClientStart::Unknown(why) => past(PastKind::Unknown, why, None),
            ClientStart::Command { words, variables } => {
                if words.first().is_some_and(|word| package::program(word) == "smcp") {
                    self.gated(words, variables).unwrap_or_else(|why| {
                        past(PastKind::Command, words.first().map_or("", String::as_str), Some(&why))
                    })
                } else {
                    command(words)
                }
            }
        }
    }

    /// Returns what a line of smcp starts, or why it counts as any other command.
    fn gated(&self, words: &[String], variables: &[(String, Option<String>)]) -> Result<StartWay, String> {
        self.is_own(words, variables)?;
        let line: Vec<OsString> = words.iter().map(OsString::from).collect();
        let parsed = args::parse(&line).map_err(|_| "this smcp does not understand the line".to_owned())?;
        let Command::Run(run) = parsed.command else { return Err("it starts no server".to_owned()) };
        let (reference, trust) = run.0.asked().ok_or("it starts no server")?;
        let pinned = !matches!(reference.selector, Selector::Latest);
        let key = (words.to_vec(), variables.to_vec());
        let known = self.judged.borrow().get(&key).cloned();
        let today = known.unwrap_or_else(|| {
            let environment = variables.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
            let started = self.app.started_elsewhere(parsed.global, line, environment);
            today(&started, reference, trust)
        });
        self.judged.borrow_mut().insert(key, today.clone());
        Ok(StartWay::Gated { package: SafeText::new(&reference.to_string()), pinned, today })
    }

    /// Checks that a program is this one, and stays so when it is started.
    fn is_own(&self, words: &[String], variables: &[(String, Option<String>)]) -> Result<(), String> {
        let program = words.first().map_or("", String::as_str);
        let given = |name: &str| variables.iter().any(|(given, _)| given == name);
        let own = match program.contains('/') {
            // The client finds it on its own PATH.
            false if given("PATH") => return Err("the client looks for it in another PATH".to_owned()),
            false => true,
            true => {
                let path = Path::new(program);
                path.is_absolute() && authority::resolve(path).ok().is_some_and(|path| Some(path) == self.own)
            }
        };
        if !own {
            let own = self.own.as_deref().unwrap_or(Path::new("smcp")).display();
            return Err(format!("it is called smcp, and is not this one ({own})"));
        }
        let loaded = variables.iter().find(|(name, _)| is_loader_variable(name));
        match loaded {
            Some((name, _)) => Err(format!("the variable {} puts other code into it", SafeText::quoted_value(name))),
            None => Ok(()),
        }
    }
}

/// Whether the system's loader puts other code into a program by this variable.
pub(super) fn is_loader_variable(name: &str) -> bool {
    LOADER.iter().any(|prefix| name.starts_with(prefix))
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
    ) -> Self {
        let mut system = self.system().clone();
        system.offline = true;
        for (name, value) in variables {
            system.environment.retain(|(known, _)| known != name.as_str());
            system.environment.push((name.into(), value.into()));
        }
        self.beside(global, line, system, (io::sink(), io::sink()))
    }
}

/// Sorts a command that is not smcp.
fn command(words: &[String]) -> StartWay {
    let (first, rest) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first.as_str(), rest));
    let env = BTreeMap::new();
    let entrypoint = Entrypoint { command: first.to_owned(), args: rest.to_vec(), env, workdir: None };
    let fetches = Fetches::of(&entrypoint).map(|fetches| fetches.to_string());
    let by = fetches.as_deref().and_then(|words| words.split(' ').next()).unwrap_or_default();
    let direct = package::fetcher(words).map(|(fetcher, _)| fetcher);
    let kind = match (direct, by) {
        (Some(Fetcher::Npm), _) | (None, "npx" | "pnpx" | "bunx" | "npm" | "pnpm" | "yarn" | "bun") => PastKind::Npx,
        (Some(Fetcher::Pypi), _) | (None, "uvx" | "pipx" | "uv" | "pip") => PastKind::Uvx,
        (None, by) if CONTAINERS.contains(&by) => PastKind::Docker,
        (None, _) => PastKind::Command,
    };
    let program = package::program(first);
    let named = match (PackagedLine::of(words), kind) {
        (Some(line), _) => Some(line.source.to_string().replacen("npm:", "", 1).replacen("pypi:", "", 1)),
        (None, PastKind::Docker) if CONTAINERS.contains(&program.as_str()) => image(rest).map(|it| format!("run {it}")),
        (None, PastKind::Command) => script(rest),
        (None, _) => None,
    };
    let what = match (&named, kind) {
        (Some(named), PastKind::Command) => format!("{first} {named}"),
        (Some(named), _) => format!("{program} {named}"),
        // The program is a shell or a wrapper, and what it starts is what counts.
        (None, PastKind::Npx | PastKind::Uvx | PastKind::Docker) if program != by => format!("{first} … {by}"),
        (None, _) => first.to_owned(),
    };
    StartWay::Past { kind, what: SafeText::quoted(&what), fetches: fetches.is_some(), remark: None }
}

/// The image that a container is made of, where the line says it plainly.
fn image(words: &[String]) -> Option<&str> {
    let (run, rest) = words.split_first()?;
    let mut rest = if run == "run" { rest.iter() } else { return None };
    while let Some(word) = rest.next() {
        if !word.starts_with('-') {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"./:@_-".contains(&byte);
            return word.bytes().all(is_plain).then_some(word);
        }
        if DOCKER_OPTIONS.contains(&word.as_str()) {
            rest.next();
        }
    }
    None
}

/// The file that an interpreter runs.
fn script(words: &[String]) -> Option<String> {
    let word = words.iter().find(|word| !word.starts_with('-'))?;
    SCRIPTS.iter().any(|end| word.ends_with(end)).then(|| word.clone())
}

/// The scheme, host and port of a URL: its path and its query may hold a secret.
fn host_of(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "a URL".to_owned() };
    let host = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_sorted_and_no_secret_of_it_is_shown() {
        let cases = [
            ("npx -y @scope/server@1.0.0 --key hunter2", PastKind::Npx, "npx @scope/server@1.0.0", true),
            ("npx --registry https://hunter2@evil.example x", PastKind::Npx, "npx", true),
            ("/usr/local/bin/uvx mcp-server-time", PastKind::Uvx, "uvx mcp-server-time", true),
            ("uv --directory /x run server.py", PastKind::Uvx, "uv", true),
            (
                "docker run -i --rm -e TOKEN=hunter2 -v /a:/b mcp/fetch:1 --key hunter2",
                PastKind::Docker,
                "docker run mcp/fetch:1",
                true,
            ),
            ("docker run -i --odd hunter2$ x", PastKind::Docker, "docker", true),
            ("docker mcp gateway run", PastKind::Command, "docker", false),
            ("node /srv/x/index.js hunter2", PastKind::Command, "node /srv/x/index.js", false),
            ("python3 -m server --token hunter2", PastKind::Command, "python3", false),
            ("/opt/tool/bin/server hunter2", PastKind::Command, "/opt/tool/bin/server", false),
            ("cmd /c npx -y x", PastKind::Npx, "cmd … npx", true),
            ("\u{1b}[2J", PastKind::Command, "\\u{1b}[2J", false),
        ];
        for (line, kind, shown, fetching) in cases {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let expected = StartWay::Past { kind, what: SafeText::new(shown), fetches: fetching, remark: None };
            assert_eq!(command(&words), expected, "{line}");
        }
        let script = ["sh", "-c", "exec npx -y x"].map(str::to_owned);
        assert!(matches!(command(&script), StartWay::Past { kind: PastKind::Npx, fetches: true, .. }));
    }

    #[test]
    fn of_a_url_only_the_host_is_shown() {
        let cases = [
            ("https://mcp.example/s/hunter2/mcp?key=hunter2#hunter2", "https://mcp.example"),
            ("https://user:hunter2@mcp.example:8443/", "https://mcp.example:8443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("hunter2", "a URL"),
        ];
        for (url, shown) in cases {
            assert_eq!(host_of(url), shown, "{url}");
        }
    }
}
