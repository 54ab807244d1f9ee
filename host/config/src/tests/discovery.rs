//! Where rules are found, and that no rules are silently ignored.

use std::ffi::OsStr;
use std::path::Path;

use super::fake_files::FakeFiles;
use super::fake_files::Thing;
use super::fake_files::Thing::Closed;
use super::fake_files::Thing::Dangling;
use super::fake_files::Thing::File;
use super::fake_files::Thing::Folder;
use super::fake_files::Thing::Large;
use super::fake_files::Thing::Loop;
use super::fake_files::Thing::Pipe;
use super::fake_files::Thing::Unlisted;
use super::fake_files::Thing::Unreadable;
use super::places;
use crate::ConfigError;
use crate::ConfigNotice;
use crate::Places;
use crate::discover::Asked;
use crate::discover::Discovered;
use crate::discover::discover;
use smcp_model::limits;

const OWN: &str = "/home/me/.mcp/config.yaml";
const SYSTEM: &str = "/etc/mcp/config.yaml";
const RULES: Thing = File("policy: {min_score: 80}");
const NOBODY: Asked<'_> = Asked { flag: None, user_variable: None, system_variable: None };

fn flag(path: &str) -> Asked<'_> {
    Asked { flag: Some(Path::new(path)), ..NOBODY }
}

fn variable(path: &str) -> Asked<'_> {
    Asked { user_variable: Some(OsStr::new(path)), ..NOBODY }
}

fn added(path: &str) -> Asked<'_> {
    Asked { system_variable: Some(OsStr::new(path)), ..NOBODY }
}

fn find(asked: Asked<'_>, things: &[(&str, Thing)]) -> Result<Discovered, ConfigError> {
    discover(asked, &places(), &FakeFiles::new(things))
}

/// The request, the files, the file that is refused and the message about it.
type Case<'a> = (Asked<'a>, &'a [(&'a str, Thing)], &'a str, &'a str);

/// Returns the message about each path that is refused.
#[track_caller]
fn refused(asked: Asked<'_>, things: &[(&str, Thing)]) -> Vec<String> {
    match find(asked, things) {
        Ok(found) => panic!("{things:?}: found {:?}", found.config.layers()),
        Err(error) => error.problems().iter().map(ToString::to_string).collect(),
    }
}

/// Returns the lowest score that may run, and the file that says so.
fn rules(found: &Discovered) -> (u8, Option<String>) {
    let file = found.config.layers()[0].files().first().map(|file| file.display().to_string());
    (found.config.layers()[0].rules().min_score.value.get(), file)
}

#[test]
fn the_file_that_is_named_is_the_one_that_is_read() {
    let all = [(OWN, RULES), ("/f.yaml", File("policy: {min_score: 1}")), ("/v.yaml", File("policy: {min_score: 2}"))];
    for (asked, score, file) in [
        (NOBODY, 80, OWN),
        (flag("/f.yaml"), 1, "/f.yaml"),
        (variable("/v.yaml"), 2, "/v.yaml"),
        (variable(""), 80, OWN),
        (Asked { user_variable: Some(OsStr::new("/v.yaml")), ..flag("/f.yaml") }, 1, "/f.yaml"),
    ] {
        let found = find(asked, &all).unwrap();
        assert_eq!(rules(&found), (score, Some(file.to_owned())), "{asked:?}");
        assert_eq!(found.config.layers()[0].files(), [Path::new(file)]);
        assert_eq!((found.suspects.len(), found.config.notices().len()), (0, 0));
    }
}

/// The defaults hold only where there is no file at all, and a notice says so.
#[test]
fn without_any_file_the_defaults_hold_and_a_notice_says_so() {
    let legacy = ConfigNotice::LegacyFile { file: "/home/me/.smcp/config.yaml".into() };
    for (things, notices) in [
        (&[][..], &[ConfigNotice::Unconfigured][..]),
        (&[("/home/me/.mcp", Folder)], &[ConfigNotice::Unconfigured]),
        // A path below a file can't exist, so it can't contain rules.
        (&[("/home", File(""))], &[ConfigNotice::Unconfigured]),
        (&[("/etc", File(""))], &[ConfigNotice::Unconfigured]),
        (&[("/etc/mcp", Folder)], &[ConfigNotice::Unconfigured]),
        (&[("/home/me/.mcp/cache", Folder), ("/home/me/.mcp/policies", Folder)], &[ConfigNotice::Unconfigured]),
        (&[("/home/me/.mcp/config.yaml.bak", RULES), ("/etc/mcp/policies", Folder)], &[ConfigNotice::Unconfigured]),
        (&[("/home/me/.smcp/config.yaml", RULES)], &[ConfigNotice::Unconfigured, legacy]),
        (&[("/home/me/.smcp", Closed)], &[ConfigNotice::Unconfigured]),
    ] {
        let found = find(NOBODY, things).unwrap_or_else(|error| panic!("{things:?}: {error}"));
        assert_eq!(rules(&found), (0, None), "{things:?}");
        assert_eq!(found.config.notices(), notices, "{things:?}");
        assert!(!found.config.is_configured());
    }
}

/// In each of these cases this tool or another once ran without the rules that the user had written.
#[test]
fn no_rules_are_passed_over() {
    const MISNAMED: &str = "it is not read: it must be called `config.yaml` (allowed: no such file)";
    const DENIED: &str = "the configuration can't be read: permission denied";
    const NOWHERE: &str = "the configuration can't be read: it is a link that leads nowhere";
    const MANY: &str = "the configuration can't be read: Too many levels of symbolic links";
    let named = |why: &str| format!("the configuration file does not exist (allowed: {why}");
    let by_flag = named("--config with a file that exists)");
    let by_added = named("SMCP_SYSTEM_CONFIG with a file that exists, or not set)");
    let by_variable = named("SMCP_CONFIG with a file that exists, or without a value)");
    let cases: &[Case<'_>] = &[
        // The user's file exists, but is not a readable file.
        (NOBODY, &[(OWN, Unreadable)], "~/.mcp/config.yaml", DENIED),
        (NOBODY, &[(OWN, Dangling)], "~/.mcp/config.yaml", "the configuration can't be read: entity not found"),
        (NOBODY, &[(OWN, Loop)], "~/.mcp/config.yaml", MANY),
        (NOBODY, &[(OWN, Folder)], "~/.mcp/config.yaml", "the configuration can't be read: it is not a regular file"),
        (NOBODY, &[(OWN, Pipe)], "~/.mcp/config.yaml", "the configuration can't be read: it is not a regular file"),
        (
            NOBODY,
            &[(OWN, Large(limits::CONFIG_FILE + 1))],
            "~/.mcp/config.yaml",
            "the configuration can't be read: it has",
        ),
        // The file can't be looked for.
        (NOBODY, &[("/home/me/.mcp", Closed)], "~/.mcp/config.yaml", DENIED),
        (NOBODY, &[("/home/me/.mcp", Unlisted)], "~/.mcp", DENIED),
        (NOBODY, &[("/home/me", Closed)], "~/.mcp", DENIED),
        (NOBODY, &[("/home/me/.mcp", Dangling)], "~/.mcp", NOWHERE),
        (NOBODY, &[("/home/me", Dangling)], "~/.mcp", "the configuration can't be read: entity not found"),
        (NOBODY, &[("/home/me/.mcp", Loop)], "~/.mcp", MANY),
        (NOBODY, &[("/home/me/.mcp", File(""))], "~/.mcp", "it is not a directory, so the configuration"),
        // The file has another name.
        (NOBODY, &[("/home/me/.mcp/config.yml", RULES)], "~/.mcp/config.yml", MISNAMED),
        (NOBODY, &[("/home/me/.mcp/Config.YAML", RULES)], "~/.mcp/Config.YAML", MISNAMED),
        (NOBODY, &[(OWN, RULES), ("/home/me/.mcp/Config.yml", RULES)], "~/.mcp/Config.yml", "it is not read"),
        (NOBODY, &[("/home/me/.mcp/config.yml", Dangling)], "~/.mcp/config.yml", "it is not read"),
        // Beside the file, the name of the folder of policies belongs to something else.
        (
            NOBODY,
            &[("/home/me/.mcp/policies.d", Dangling)],
            "~/.mcp/policies.d",
            "the configuration can't be read: enti",
        ),
        (
            NOBODY,
            &[("/home/me/.mcp/policies.d", File(""))],
            "~/.mcp/policies.d",
            "the configuration can't be read: not",
        ),
        (NOBODY, &[("/home/me/.mcp/policies.d", Unlisted)], "~/.mcp/policies.d", DENIED),
        (
            NOBODY,
            &[("/home/me/.mcp/Policies.D", Folder)],
            "~/.mcp/Policies.D",
            "it is not read: it must be called `pol",
        ),
        (
            variable("/x/c.yaml"),
            &[("/x/c.yaml", RULES), ("/x/policies.d", Dangling)],
            "/x/policies.d",
            "the configuration can't be read: entity not found",
        ),
        // The user named a file.
        (flag("/x/c.yaml"), &[], "/x/c.yaml", &by_flag),
        (flag("/x/c.yaml"), &[(OWN, RULES)], "/x/c.yaml", &by_flag),
        (flag("/x/c.yaml"), &[("/x", File(""))], "/x/c.yaml", &by_flag),
        (variable("/x/c.yaml"), &[(OWN, RULES)], "/x/c.yaml", &by_variable),
        (
            flag("/x/c.yaml"),
            &[("/x/c.yaml", Dangling)],
            "/x/c.yaml",
            "the configuration can't be read: entity not found",
        ),
        (flag("/x/c.yaml"), &[("/x", Closed)], "/x/c.yaml", DENIED),
        (flag("/x/c.yaml"), &[("/x", Dangling)], "/x/c.yaml", "the configuration can't be read: entity not found"),
        (flag(""), &[(OWN, RULES)], "", "the name of the configuration file is empty"),
        (flag("~you/c.yaml"), &[(OWN, RULES)], "~you/c.yaml", "the home of another user is not looked up"),
        // An administrator wrote rules, and they can't be read.
        (NOBODY, &[("/etc/mcp/config.yaml", Dangling)], SYSTEM, "the configuration can't be read: entity not found"),
        (NOBODY, &[("/etc/mcp/config.yaml", Unreadable)], SYSTEM, DENIED),
        (NOBODY, &[("/etc/mcp/config.yaml", Folder)], SYSTEM, "the configuration can't be read: it is not a regular"),
        (NOBODY, &[("/etc/mcp/config.yml", RULES)], "/etc/mcp/config.yml", MISNAMED),
        (NOBODY, &[("/etc/mcp/config.json", RULES)], "/etc/mcp/config.json", MISNAMED),
        (NOBODY, &[("/etc/mcp/Config.YAML", RULES)], "/etc/mcp/Config.YAML", MISNAMED),
        (NOBODY, &[("/etc/mcp/policies.d", File(""))], "/etc/mcp/policies.d", "the configuration can't be read: not a"),
        (NOBODY, &[(OWN, RULES), ("/etc/mcp/policies.d", Dangling)], "/etc/mcp/policies.d", "the configuration can't"),
        (flag("/f"), &[("/f", RULES), (SYSTEM, File("polcy: 1"))], "/etc/mcp/config.yaml:1:1", "unknown key `polcy`"),
        (variable("/f"), &[("/f", RULES), (SYSTEM, File("x: ["))], "/etc/mcp/config.yaml:2:1", "did not find"),
        // The variable for another system layer names no rules.
        (added(""), &[(OWN, RULES)], "\"\"", "SMCP_SYSTEM_CONFIG: the name of the configuration file is empty"),
        (added("~you/x"), &[(OWN, RULES)], "~you/x", "SMCP_SYSTEM_CONFIG: the home of another user is not looked up"),
        (added("/s.yaml"), &[(OWN, RULES)], "/s.yaml", &by_added),
        (added("/s.yaml"), &[("/s.yaml", Unreadable)], "/s.yaml", DENIED),
        (added("nowhere"), &[(OWN, RULES)], "/work/nowhere", &by_added),
        (
            NOBODY,
            &[("/etc/mcp", File(""))],
            "/etc/mcp",
            "it is not a directory, so the configuration can't be looked for",
        ),
        (NOBODY, &[("/etc/mcp", Dangling)], "/etc/mcp", NOWHERE),
        (NOBODY, &[("/etc/mcp", Loop)], "/etc/mcp", MANY),
        (NOBODY, &[("/etc/mcp", Unlisted)], "/etc/mcp", DENIED),
        (NOBODY, &[("/etc", Closed)], "/etc/mcp", DENIED),
        (NOBODY, &[("/etc", Dangling)], "/etc/mcp", "the configuration can't be read: entity not found"),
    ];
    for (asked, things, file, says) in cases {
        let said = refused(*asked, things);
        let expected = format!("{file}: {says}");
        assert!(said.len() == 1 && said[0].starts_with(&expected), "{asked:?} {things:?}: {said:?}, not {expected:?}");
    }
}

#[test]
fn everything_that_can_not_be_read_is_told_at_once() {
    let things = [("/etc/mcp/config.yml", RULES), ("/etc/mcp/Policies.d", Folder), ("/home/me/.mcp/config.yml", RULES)];
    let said = refused(NOBODY, &things);
    assert_eq!(
        said,
        [
            "/etc/mcp/Policies.d: it is not read: it must be called `policies.d` (allowed: no such file)",
            "/etc/mcp/config.yml: it is not read: it must be called `config.yaml` (allowed: no such file)",
            "~/.mcp/config.yml: it is not read: it must be called `config.yaml` (allowed: no such file)",
        ]
    );
    // The places are checked before the text.
    let malformed = [(OWN, File("policy: [")), ("/home/me/.mcp/config.yml", RULES)];
    assert_eq!(refused(NOBODY, &malformed).len(), 1);
    let said = refused(NOBODY, &[(OWN, File("polcy: 1\npolicy: {min_score: 101}"))]);
    assert!(said.len() == 2 && said[0].starts_with("~/.mcp/config.yaml:1:1: unknown key `polcy`"), "{said:?}");
}

/// Beside a named file only `policies.d` belongs to its layer, and its folder need not be listable.
#[test]
fn beside_a_named_file_other_names_mean_nothing() {
    let beside = [("/x/c.yaml", RULES), ("/x/config.yml", RULES), ("/x/config.yaml", RULES), ("/x/Policies.d", Folder)];
    assert_eq!(rules(&find(flag("/x/c.yaml"), &beside).unwrap()).0, 80);
    assert_eq!(rules(&find(flag("/x/c.yaml"), &[("/x/c.yaml", RULES), ("/x", Unlisted)]).unwrap()).0, 80);
    // Then the user's own folder does not belong to the layer.
    let own = [("/x/c.yaml", RULES), ("/home/me/.mcp/policies.d", Folder), ("/home/me/.mcp/config.yml", RULES)];
    assert_eq!(rules(&find(flag("/x/c.yaml"), &own).unwrap()).0, 80);
}

#[test]
fn who_else_could_have_written_or_removed_the_rules_is_told() {
    let suspects = |asked: Asked<'_>, files: FakeFiles| -> Vec<_> {
        let found = discover(asked, &places(), &files).unwrap();
        found.suspects.iter().map(|suspect| suspect.path.display().to_string()).collect()
    };
    let there = || FakeFiles::new(&[(OWN, RULES), ("/tmp/c.yaml", RULES)]);
    assert_eq!(suspects(NOBODY, there()), [""; 0]);
    assert_eq!(suspects(NOBODY, there().writable(OWN)), [OWN]);
    assert_eq!(suspects(NOBODY, there().writable("/home/me/.mcp")), ["/home/me/.mcp"]);
    // Another user who may write there may have removed the rules.
    let gone = FakeFiles::new(&[("/home/me/.mcp", Folder)]).writable("/home/me/.mcp");
    assert_eq!(suspects(NOBODY, gone), ["/home/me/.mcp"]);
    // A file that the user named may be in a sticky folder, but other users may not write to it.
    assert_eq!(suspects(flag("/tmp/c.yaml"), there().writable("/tmp")), [""; 0]);
    assert_eq!(suspects(flag("/tmp/c.yaml"), there().writable("/tmp/c.yaml")), ["/tmp/c.yaml"]);
}

#[test]
fn the_home_of_another_user_is_named() {
    let mut files = FakeFiles::new(&[("/home/me/.mcp", Closed)]);
    files.owner_of_home = Some(4242);
    let error = discover(NOBODY, &places(), &files).unwrap_err();
    assert_eq!(
        error.to_string(),
        "/home/me/.mcp/config.yaml: the configuration can't be read: permission denied; HOME is /home/me, which belongs \
         to another user (uid 4242): set it to your own home (`sudo -E` keeps the caller's), or name a file with --config"
    );
}

#[test]
fn without_a_home_a_file_must_be_named() {
    let homeless = Places { home: None, ..places() };
    let files = FakeFiles::new(&[("/x.yaml", RULES)]);
    assert!(discover(NOBODY, &homeless, &files).is_err());
    assert_eq!(rules(&discover(flag("/x.yaml"), &homeless, &files).unwrap()).0, 80);
}
