//! Chooses the variables that a server gets (spec 6).
//!
//! Pure: the caller passes in our own environment.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

#[cfg(target_os = "linux")]
mod proxies;

use crate::env_file::Assignment;
use crate::env_file::is_name;
use crate::values::VariableValues;
use smcp_decide::Notice;
use smcp_model::access::Access;
use smcp_model::manifest::Manifest;
use smcp_model::text::SafeText;

/// Variables that every server gets, if we have them.
const ALWAYS: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];
/// Prefixes of names that a manifest can neither ask for nor set: the first two change what a program loads, the third
/// configures smcp.
const RESERVED: [&str; 3] = ["LD_", "DYLD_", "SMCP_"];

/// Variables that a server behind a company's proxy, or in another time zone, may need. They are not passed on by
/// default, because the address of a proxy may have a password in it, and certificates decide whom a program trusts.
/// The user is told of those that are withheld.
const EXPECTED: [&str; 13] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
    "REQUESTS_CA_BUNDLE",
    "TZ",
];

/// The variables of a server.
///
/// In rising order of precedence: [`ALWAYS`](self) ours, ours that the manifest names, the manifest's own
/// (`entrypoint.env`), those of `--env-file`, those of `--env`.
#[derive(Clone, Default)]
pub struct ServerEnvironment {
    variables: BTreeMap<OsString, OsString>,
    /// The names that the manifest, the user of its variables, or the command line have set.
    set: BTreeSet<OsString>,
    values: VariableValues,
    unset: Vec<String>,
    withheld: Vec<String>,
    search_path: Option<OsString>,
    notices: Vec<Notice>,
}

/// Names of a manifest that are not passed on.
#[derive(Default)]
struct Dropped<'a> {
    reserved: Vec<&'a str>,
    invalid: Vec<&'a str>,
}

impl ServerEnvironment {
    /// Chooses from our own environment (`parent`) what the manifest may have, and adds what the manifest and the user
    /// set. Reserved names and patterns in the manifest are dropped with a notice; the user may set any name.
    pub fn compute(
        parent: &[(OsString, OsString)],
        manifest: &Manifest,
        env_file: &[Assignment],
        env: &[Assignment],
    ) -> Self {
        let mut dropped = Dropped::default();
        // Those that the user sets are among those that a block of permissions asks for.
        let asked: Vec<&String> = match &manifest.permissions {
            Some(permissions) => permissions.environment.iter().collect(),
            None => manifest.variables.keys().collect(),
        };
        let asked: Vec<_> = asked.into_iter().filter(|name| dropped.allows(name, "")).collect();
        let names: Vec<_> = ALWAYS.into_iter().chain(asked.iter().map(|name| name.as_str())).map(OsStr::new).collect();
        let ours = parent.iter().filter(|(name, _)| names.contains(&name.as_os_str())).cloned();
        let mut variables: BTreeMap<_, _> = ours.collect();
        let given = || env_file.iter().chain(env).map(|given| (OsString::from(given.name()), given.value().to_owned()));
        let values = VariableValues::of(&manifest.variables, |name| {
            let last = given().rfind(|(given, _)| given == name).map(|(_, value)| value);
            last.or_else(|| variables.get(OsStr::new(name)).cloned())
        });
        variables.extend(values.set().map(|(name, value)| (name.into(), value.to_owned())));
        let own = manifest.entrypoint.env.iter().filter(|(name, value)| dropped.allows(name, value));
        let own = own.filter_map(|(name, value)| Some((OsString::from(name), values.whole(value)?)));
        let own: Vec<_> = own.chain(given()).collect();
        let asked_for = asked.iter().map(OsString::from);
        let set = values.set().map(|(name, _)| name.into()).chain(own.iter().map(|(name, _)| name.clone()));
        let set = set.chain(asked_for.filter(|name| variables.contains_key(name))).collect();
        variables.extend(own);
        let unset = asked.into_iter().filter(|name| !variables.contains_key(OsStr::new(name))).cloned().collect();
        let is_withheld = |name: &&str| {
            let ours = parent.iter().find(|(known, _)| known == name);
            ours.is_some_and(|(_, value)| !value.is_empty()) && !variables.contains_key(OsStr::new(name))
        };
        let withheld = EXPECTED.into_iter().filter(is_withheld).map(str::to_owned).collect();
        let search_path = search_path(parent, given());
        Self { variables, set, values, unset, withheld, search_path, notices: dropped.notices() }
    }

    /// Tells the server where its own folders are, unless the manifest or the user has set the variable.
    pub fn tell_folders(&mut self, folders: impl IntoIterator<Item = (&'static str, PathBuf)>) {
        for (name, path) in folders {
            if !self.set.contains(OsStr::new(name)) {
                self.variables.insert(name.into(), path.into());
            }
        }
    }

    /// The variables, ordered by name.
    pub fn variables(&self) -> impl Iterator<Item = (&OsStr, &OsStr)> {
        self.variables.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()))
    }

    /// The arguments of a manifest, with what the user has set.
    pub(crate) fn arguments(&self, manifest: &Manifest) -> Vec<OsString> {
        manifest.entrypoint.args.iter().flat_map(|argument| self.values.arguments(argument)).collect()
    }

    /// The variables without which the server can't start and that nobody has set, with what they are for.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.values.missing()
    }

    /// The summary that a person sees before the start. It has names and never values.
    pub fn access(&self, manifest: &Manifest) -> Access {
        Access {
            variables: self.variables.keys().map(|name| name.to_string_lossy().into_owned()).collect(),
            unset: self.unset.clone(),
            withheld: self.withheld.clone(),
            workdir: manifest.entrypoint.workdir.clone().filter(|workdir| !workdir.is_empty()),
            workdir_writable: manifest.workdir_writable,
        }
    }

    /// Names of our variables that the server does not get, although its network access or its time may depend on them.
    pub fn withheld(&self) -> &[String] {
        &self.withheld
    }

    /// Notices on dropped names, for the report.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The PATH that the command is looked up on: ours or the user's. A manifest that sets PATH changes what its
    /// server sees, never which program is started.
    pub fn search_path(&self) -> Option<&OsStr> {
        self.search_path.as_deref()
    }
}

impl fmt::Debug for ServerEnvironment {
    /// Shows names only, because values are secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

fn search_path(parent: &[(OsString, OsString)], given: impl Iterator<Item = (OsString, OsString)>) -> Option<OsString> {
    parent.iter().cloned().chain(given).filter(|(name, _)| name == "PATH").last().map(|(_, path)| path)
}

impl<'a> Dropped<'a> {
    /// Whether a name of the manifest, with the value that it sets, is passed on. If not, the name is remembered.
    fn allows(&mut self, name: &'a str, value: &str) -> bool {
        if RESERVED.iter().any(|prefix| name.starts_with(prefix)) {
            self.reserved.push(name);
        } else if !is_name(name) || value.contains('\0') {
            self.invalid.push(name);
        } else {
            return true;
        }
        false
    }

    fn notices(&self) -> Vec<Notice> {
        let notice = |code, names: &[&str], reason: &str| {
            let message = SafeText::new(&format!("the manifest's variables {} {reason}", listed(names)));
            (!names.is_empty()).then_some(Notice { code, message })
        };
        let reserved =
            notice("environment-reserved", &self.reserved, "are not passed on: LD_*, DYLD_* and SMCP_* never are");
        let invalid =
            notice("environment-invalid", &self.invalid, "are not passed on: only exact names of variables are");
        reserved.into_iter().chain(invalid).collect()
    }
}

/// The first few names, in backticks.
fn listed(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let list: Vec<_> = names.iter().take(SHOWN).map(|name| format!("`{}`", SafeText::quoted(name))).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => list.join(", "),
        more => format!("{} and {more} more", list.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::manifest::Entrypoint;
    use smcp_model::manifest::Permissions;
    use smcp_model::manifest::Transport;

    const OURS: [(&str, &str); 12] = [
        ("PATH", "/bin"),
        ("HOME", "/home/me"),
        ("LANG", "C"),
        ("USER", "me"),
        ("TOKEN", "ours"),
        ("TOKEN_2", "secret"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("*", "star"),
        ("TOK*", "star"),
        ("LD_PRELOAD", "/evil.so"),
        ("DYLD_INSERT_LIBRARIES", "/evil.so"),
        ("SMCP_CONFIG", "/etc/x"),
    ];

    fn manifest(asked: &[&str], set: &[(&str, &str)]) -> Manifest {
        let env = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Manifest {
            transport: Transport::Stdio,
            entrypoint: Entrypoint { env, ..Entrypoint::default() },
            permissions: Some(Permissions {
                environment: asked.iter().map(|name| (*name).to_owned()).collect(),
                ..Permissions::default()
            }),
            variables: BTreeMap::new(),
            workdir_writable: false,
            text: String::new(),
        }
    }

    fn computed(manifest: &Manifest, file: &[&str], flags: &[&str]) -> ServerEnvironment {
        let parent = OURS.map(|(name, value)| (name.into(), value.into()));
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        ServerEnvironment::compute(&parent, manifest, &parse(file), &parse(flags))
    }

    /// What a server gets besides PATH, HOME and LANG.
    fn extra(environment: &ServerEnvironment) -> Vec<(&str, &str)> {
        let text = |text: &'_ OsStr| -> String { text.to_str().unwrap().to_owned() };
        for base in ["PATH", "HOME", "LANG"] {
            assert!(environment.variables().any(|(name, _)| text(name) == base));
        }
        let extra = environment.variables().filter(|(name, _)| !ALWAYS.contains(&name.to_str().unwrap()));
        extra.map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect()
    }

    #[test]
    fn what_the_network_may_need_is_withheld_and_named() {
        let parent = |names: &[&str]| names.iter().map(|name| ((*name).into(), "secret".into())).collect::<Vec<_>>();
        let everything = parent(&EXPECTED);
        let withheld = |parent: &[(OsString, OsString)], asked: &[&str], given: &[&str]| {
            let manifest = manifest(asked, &[]);
            let given: Vec<_> = given.iter().map(|text| text.parse().unwrap()).collect();
            let environment = ServerEnvironment::compute(parent, &manifest, &[], &given);
            environment.access(&manifest).withheld.join(" ")
        };
        assert_eq!(withheld(&everything, &[], &[]), EXPECTED.join(" "));
        assert_eq!(withheld(&parent(&["HTTPS_PROXY", "TZ"]), &["TZ"], &[]), "HTTPS_PROXY");
        assert_eq!(withheld(&parent(&["https_proxy", "TZ"]), &[], &["https_proxy=other"]), "TZ");
        assert_eq!(withheld(&[("NO_PROXY".into(), "".into())], &[], &[]), "");
        assert_eq!(withheld(&parent(&["PATH", "PROXY"]), &[], &[]), "");
    }

    #[test]
    fn a_server_gets_what_is_named_and_nothing_else() {
        type Pairs<'a> = &'a [(&'a str, &'a str)];
        type Case<'a> = (&'a str, &'a [&'a str], Pairs<'a>, &'a [&'a str], &'a [&'a str], Pairs<'a>);
        let cases: [Case<'_>; 11] = [
            ("nothing is asked for", &[], &[], &[], &[], &[]),
            ("exact names", &["TOKEN", "USER"], &[], &[], &[], &[("TOKEN", "ours"), ("USER", "me")]),
            ("a name that we don't have", &["ABSENT"], &[], &[], &[], &[]),
            ("names are case-sensitive and whole", &["token", "TOKE", "TOKEN "], &[], &[], &[], &[]),
            ("patterns match nothing", &["*", "TOK*", "TOKEN?", "[T]OKEN", ""], &[], &[], &[], &[]),
            (
                "reserved names are never passed on",
                &["LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "SMCP_CONFIG"],
                &[],
                &[],
                &[],
                &[],
            ),
            (
                "nor set by the manifest",
                &[],
                &[("LD_PRELOAD", "x"), ("SMCP_X", "x"), ("A=B", "x"), ("N", "a\0b"), ("OK", "1")],
                &[],
                &[],
                &[("OK", "1")],
            ),
            (
                "the manifest's value goes before ours",
                &["TOKEN"],
                &[("TOKEN", "manifest")],
                &[],
                &[],
                &[("TOKEN", "manifest")],
            ),
            (
                "a file goes before the manifest",
                &["TOKEN"],
                &[("TOKEN", "manifest")],
                &["TOKEN=file"],
                &[],
                &[("TOKEN", "file")],
            ),
            (
                "a flag goes before a file",
                &[],
                &[],
                &["TOKEN=file", "A=1"],
                &["TOKEN=flag", "TOKEN=last"],
                &[("A", "1"), ("TOKEN", "last")],
            ),
            (
                "the user's word is final",
                &[],
                &[],
                &["LD_PRELOAD=mine"],
                &["SMCP_X=1"],
                &[("LD_PRELOAD", "mine"), ("SMCP_X", "1")],
            ),
        ];
        for (case, asked, set, file, flags, expected) in cases {
            assert_eq!(extra(&computed(&manifest(asked, set), file, flags)), expected, "{case}");
        }
    }

    #[test]
    fn access_has_the_names_of_what_is_given_and_of_what_is_missing() {
        let asked = ["TOKEN", "ABSENT", "OTHER", "GIVEN", "LD_PRELOAD", "*"];
        let manifest = manifest(&asked, &[("OTHER", "1")]);
        let access = computed(&manifest, &[], &["GIVEN=hunter2"]).access(&manifest);
        assert_eq!(access.variables, ["GIVEN", "HOME", "LANG", "OTHER", "PATH", "TOKEN"]);
        assert_eq!((access.unset, access.workdir), (vec!["ABSENT".to_owned()], None));
    }

    #[test]
    fn what_is_dropped_is_said_and_cut() {
        let many: Vec<_> = (0..9).map(|n| format!("LD_{n}\u{1b}")).collect();
        let asked: Vec<_> = many.iter().map(String::as_str).chain(["*"]).collect();
        let environment = computed(&manifest(&asked, &[("SMCP_X", "hunter2")]), &[], &[]);
        let [reserved, invalid] = environment.notices() else { panic!("{:?}", environment.notices()) };
        assert_eq!((reserved.code, invalid.code), ("environment-reserved", "environment-invalid"));
        let text = reserved.message.as_str();
        assert!(text.contains("`LD_0\\u{1b}`") && text.contains("and 5 more"), "{text}");
        assert!(invalid.message.as_str().contains("`*`"));
        assert!(computed(&manifest(&["TOKEN"], &[]), &[], &[]).notices().is_empty());
    }

    #[test]
    fn only_the_user_changes_where_the_command_is_looked_up() {
        let cases: [(&[&str], &[&str], &str); 3] =
            [(&[], &[], "/bin"), (&["PATH=/file"], &[], "/file"), (&["PATH=/file"], &["PATH=/flag"], "/flag")];
        for (file, flags, expected) in cases {
            let environment = computed(&manifest(&[], &[("PATH", "/manifest")]), file, flags);
            assert_eq!(environment.search_path(), Some(OsStr::new(expected)));
        }
        let environment = computed(&manifest(&[], &[("PATH", "/manifest")]), &[], &[]);
        assert!(environment.variables().any(|pair| pair == (OsStr::new("PATH"), OsStr::new("/manifest"))));
        assert_eq!(ServerEnvironment::compute(&[], &manifest(&[], &[]), &[], &[]).search_path(), None);
    }

    #[test]
    fn debug_shows_no_value() {
        let debug = format!("{:?}", computed(&manifest(&["TOKEN"], &[]), &[], &["KEY=hunter2"]));
        assert!(debug.contains("KEY") && !debug.contains("hunter2") && !debug.contains("ours"), "{debug}");
    }
}
