//! Many files and two layers, by the rules of spec section 1.

use std::path::Path;
use std::time::Duration;

use super::places;
use crate::Config;
use crate::ConfigError;
use crate::SettingSource;
use crate::choice::Audit;
use crate::fold::fold;
use crate::layer_file::LayerFile;
use smcp_model::facts::Score;
use smcp_model::limits;
use smcp_model::mode::Mode;
use smcp_model::policy::LayerName;
use smcp_model::registry::Registry;

const SYSTEM: (LayerName, &str) = (LayerName::System, "/etc/mcp/config.yaml");
const USER: (LayerName, &str) = (LayerName::User, "/home/me/.mcp/config.yaml");

fn read(files: &[((LayerName, &str), &str)]) -> Result<Config, ConfigError> {
    let places = places();
    let parse = |((layer, file), text): &((LayerName, &str), &str)| {
        LayerFile::parse(text.as_bytes(), Path::new(file), *layer, &places)
    };
    fold(files.iter().map(parse).collect(), places.home.as_deref())
}

/// Returns the configuration of a system layer's file and the user's.
#[track_caller]
fn both(system: &str, user: &str) -> Config {
    let system = format!("registry_url: https://own.example\n{system}");
    read(&[(USER, user), (SYSTEM, &system)]).unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn refused(files: &[((LayerName, &str), &str)]) -> Vec<String> {
    let error = read(files).unwrap_err();
    let lines = error.problems().iter().map(ToString::to_string);
    lines.map(|line| line.split(" (allowed: ").next().unwrap().to_owned()).collect()
}

#[test]
fn every_layer_keeps_its_own_policies() {
    let config = both(
        "policy: {min_score: 60, cert_mode: warn, custom: [{name: a, source: a.wasm}]}",
        "policy: {min_score: 0, score_mode: disabled, custom: [{name: a, source: a.wasm}, {name: b, source: ~/b}]}",
    );
    let policies: Vec<_> = config
        .layers()
        .iter()
        .flat_map(|layer| layer.policies())
        .map(|spec| format!("{} {} {} {}", spec.layer.as_str(), spec.name, spec.mode.as_str(), spec.source))
        .collect();
    assert_eq!(
        policies,
        [
            "system origin warn built-in",
            "system certification warn built-in",
            "system score warn built-in",
            "system a warn /etc/mcp/a.wasm",
            "user origin strict built-in",
            "user certification strict built-in",
            "user score disabled built-in",
            "user a strict /home/me/.mcp/a.wasm",
            "user b strict /home/me/b",
        ]
    );
    // The user's score changes nothing in the system layer.
    let [system, user] = config.layers() else { panic!("two layers") };
    assert_eq!(system.policies()[2].settings["min_score"], 60);
    assert_eq!(user.policies()[2].settings["min_score"], 0);
    assert_eq!(system.files(), [Path::new(SYSTEM.1)]);
    assert_eq!(user.files(), [Path::new(USER.1)]);
}

#[test]
fn the_strictest_value_holds_and_a_system_layers_default_counts() {
    let (minute, day) = (limits::START_TIMEOUT_DEFAULT, limits::MAX_FACTS_AGE_DEFAULT);
    let second = Duration::from_secs(1);
    // Each: the system layer's text, the user's text, and the values that hold.
    for (system, user, expected) in [
        ("", "", (minute, day, Audit::Required)),
        ("", "start_timeout: 90s\nmax_facts_age: 2d\naudit: best-effort", (minute, day, Audit::Required)),
        ("", "start_timeout: 1s\nmax_facts_age: 1s", (second, second, Audit::Required)),
        ("start_timeout: 90s\naudit: best-effort", "", (Duration::from_secs(90), day, Audit::BestEffort)),
        ("audit: best-effort", "audit: required", (minute, day, Audit::Required)),
        ("max_facts_age: 1s", "max_facts_age: 1h", (minute, second, Audit::Required)),
    ] {
        let config = both(system, user);
        assert_eq!((config.start_timeout(), config.max_facts_age(), config.audit()), expected, "{system} | {user}");
    }
    // Without a system layer the user's value holds, also a laxer one.
    let config = read(&[(USER, "start_timeout: 90s\naudit: best-effort")]).unwrap();
    assert_eq!((config.start_timeout(), config.audit()), (Duration::from_secs(90), Audit::BestEffort));
    let config = both("policy: {warning_threshold: 10}", "policy: {warning_threshold: 30}");
    assert_eq!(config.warning_threshold(), Score::new(30_u8).unwrap());
}

#[test]
fn no_layer_below_names_authorities_for_a_registry_that_one_above_relies_on() {
    const ADDED: (LayerName, &str) = (LayerName::Added, "/s/added.yaml");
    let (own, other) = ("registry_url: https://own.example", "registry_url: https://other.example");
    let authorities = |files: &[((LayerName, &str), String)]| {
        let files: Vec<_> = files.iter().map(|(file, text)| (*file, text.as_str())).collect();
        let config = read(&files).unwrap_or_else(|error| panic!("{error}"));
        let registry = Registry::from_text("https://own.example", Path::new("/"), None).unwrap();
        format!("{:?}", config.authorities(&registry))
    };
    let naming = |text: &str, file: &str| format!("{text}\nca_file: {file}\n");
    let of = |file: &str, layer: &str| format!("File {{ file: \"{file}\", layer: {layer} }}");
    let nothing = String::new;
    for (files, expected) in [
        (vec![(USER, nothing())], "Environment".to_owned()),
        (vec![(USER, naming("", "/u.pem"))], of("/u.pem", "User")),
        (vec![(SYSTEM, own.to_owned()), (USER, naming("", "/u.pem"))], "System".to_owned()),
        (vec![(SYSTEM, own.to_owned()), (ADDED, naming(own, "/a.pem"))], "System".to_owned()),
        (vec![(SYSTEM, own.to_owned()), (ADDED, naming(other, "/a.pem"))], "System".to_owned()),
        (vec![(SYSTEM, other.to_owned()), (ADDED, naming(own, "/a.pem"))], of("/a.pem", "Added")),
        (vec![(SYSTEM, other.to_owned()), (USER, naming("", "/u.pem"))], of("/u.pem", "User")),
        (vec![(ADDED, own.to_owned()), (USER, naming("", "/u.pem"))], "System".to_owned()),
        (vec![(SYSTEM, naming(own, "/s.pem")), (ADDED, naming(own, "/a.pem"))], of("/s.pem", "System")),
        (vec![(SYSTEM, naming(other, "/s.pem")), (ADDED, naming(own, "/a.pem"))], of("/s.pem", "System")),
    ] {
        assert_eq!(authorities(&files), expected, "{files:?}");
    }
}

#[test]
fn the_first_layer_that_names_a_place_decides() {
    let places = |system, user| {
        let config = both(system, user);
        let text = |path: Option<&Path>| path.unwrap().display().to_string();
        (text(config.cache_dir()), text(config.audit_log()), config.notices().len())
    };
    let named = "cache_dir: /u\naudit_log: /u.jsonl";
    let (cache, log) = ("/home/me/.mcp/cache", "/home/me/.mcp/audit.jsonl");
    assert_eq!(places("", ""), (cache.into(), log.into(), 0));
    assert_eq!(places("", named), ("/u".into(), log.into(), 1));
    assert_eq!(places("cache_dir: /s\naudit_log: /s.jsonl", named), ("/s".into(), "/s.jsonl".into(), 1));
    let config = both("", named);
    assert_eq!(
        config.notices()[0].to_string(),
        "/home/me/.mcp/config.yaml: `audit_log` is ignored; where it is written is for the system layer to say"
    );
    assert_eq!(both("", "registry_url: /r").registry().to_string(), "https://own.example");
}

#[test]
fn a_system_layer_believes_its_own_registry_unless_it_names_others() {
    let believes = |config: &Config, registry: &str| {
        let registry = Registry::from_text(registry, Path::new("/"), None).unwrap();
        config.layers().iter().map(|layer| layer.believes(Some(&registry))).collect::<Vec<_>>()
    };
    let config = both("", "");
    assert_eq!(believes(&config, "https://own.example"), [true, true]);
    assert_eq!(believes(&config, "https://other.example"), [false, true]);
    // The user's trusted registries change nothing in the system layer.
    let config = both("", "trusted_registries: [https://other.example]");
    assert_eq!(believes(&config, "https://other.example"), [false, true]);
    assert_eq!(believes(&config, "https://own.example"), [true, false]);
    let config = both("trusted_registries: [https://other.example]", "");
    assert_eq!(believes(&config, "https://own.example"), [false, true]);
    let neither = "policy: {min_score: 1}";
    let said = ["/etc/mcp/config.yaml:1:1: a system layer must say whose facts it believes"];
    assert_eq!(refused(&[(SYSTEM, neither), (USER, "registry_url: /r")]), said);
    // A problem of the user's file hides no other; a registry that can't be read is one problem, not two.
    let user = "~/.mcp/config.yaml:1:1: unknown key `x` in the configuration".to_owned();
    assert_eq!(refused(&[(SYSTEM, neither), (USER, "x: 1")]), [said[0].to_owned(), user]);
    assert_eq!(refused(&[(SYSTEM, "registry_url: 1")]).len(), 1);
}

#[test]
fn the_files_of_a_layer_are_one() {
    const SET: (LayerName, &str) = (LayerName::User, "/home/me/.mcp/more.yaml");
    let config = read(&[
        (USER, "policy: {cert_mode: warn, custom: [{name: a, source: a}]}"),
        (SET, "timeout: 1\npolicy: {min_score: 80, custom: [{name: b, source: b}]}"),
    ])
    .unwrap();
    let [layer] = config.layers() else { panic!("one layer") };
    assert_eq!(layer.files(), [Path::new(USER.1), Path::new(SET.1)]);
    let modes: Vec<_> = layer.policies().iter().map(|spec| (spec.name.as_str(), spec.mode)).collect();
    assert_eq!(modes[3..], [("a", Mode::Warn), ("b", Mode::Warn)]);
    assert_eq!(config.notices().len(), 1);
    // A key in two files is a problem even if both have the same value.
    assert_eq!(
        refused(&[
            (USER, "audit: required\npolicy:\n  min_score: 80\n  custom: [{name: a, source: a}]\n"),
            (
                SET,
                "audit: required\npolicy:\n  min_score: 80\n  custom: [{name: a, source: b}, {name: a, source: c}]\n"
            ),
        ]),
        [
            "~/.mcp/more.yaml:1:8: another file of this layer gives `audit` too, first in ~/.mcp/config.yaml:1:8",
            "~/.mcp/more.yaml:3:14: another file of this layer gives `policy.min_score` too, first in \
             ~/.mcp/config.yaml:3:14",
            "~/.mcp/more.yaml:4:19: another policy of this layer has the name `a` too, first in \
             ~/.mcp/config.yaml:4:19",
            "~/.mcp/more.yaml:4:41: another policy of this layer has the name `a` too, first in \
             ~/.mcp/config.yaml:4:19",
        ]
    );
}

/// Finding a line parses its file again, so fewer problems are shown where that file is long.
#[test]
fn what_a_long_file_says_first_is_looked_up_only_so_often() {
    const SET: (LayerName, &str) = (LayerName::User, "/home/me/.mcp/more.yaml");
    let long = format!("policy:\n  custom: [{{name: a, source: a}}]\n#{}", "x".repeat(900_000));
    let many = format!("policy:\n  custom:\n{}", "  - {name: a, source: a}\n".repeat(50));
    let error = read(&[(USER, &long), (SET, &many)]).unwrap_err();
    assert_eq!(error.problems().len(), limits::CONFIG_REREAD / long.len());
    assert_eq!(error.problems().len() + error.more(), 50);
}

#[test]
fn the_problems_of_all_files_are_told_together() {
    let (system, user) = ("policy:\n  min_scor: 1\npolcy: 1\n", "policy: [");
    let expected = [
        "/etc/mcp/config.yaml:2:3: unknown key `min_scor` in `policy`; did you mean `min_score`?",
        "/etc/mcp/config.yaml:3:1: unknown key `polcy` in the configuration; did you mean `policy`?",
        "~/.mcp/config.yaml:2:1: did not find expected node content, while parsing a flow node",
    ];
    let said = refused(&[(USER, user), (SYSTEM, system)]);
    assert_eq!(said[..2], expected[..2]);
    assert!(said.len() == 3 && said[2].starts_with("~/.mcp/config.yaml:"), "{said:?}");
    // All files together show no more problems than one file does.
    let many: String = (0..limits::CONFIG_PROBLEMS).map(|number| format!("x{number}: 1\n")).collect();
    let error = read(&[(USER, &many), (SYSTEM, &many)]).unwrap_err();
    assert_eq!((error.problems().len(), error.more()), (limits::CONFIG_PROBLEMS, limits::CONFIG_PROBLEMS));
    assert!(error.problems().iter().all(|problem| problem.file.as_str() == SYSTEM.1));
}

#[test]
fn the_policies_of_a_user_are_no_limit_of_the_systems() {
    let custom = |count: usize| {
        let entries: Vec<_> =
            (0..count).map(|number| format!("{{name: p{number}, source: p, mode: disabled}}")).collect();
        format!("policy: {{custom: [{}]}}", entries.join(", "))
    };
    let most = limits::POLICIES - 3;
    assert_eq!(both(&custom(most), &custom(most)).layers().len(), 2);
    let said = refused(&[(USER, &custom(most + 1)), (SYSTEM, "registry_url: /r")]);
    assert_eq!(said, [format!("~/.mcp/config.yaml:1:18: {} policies are too many for one layer", most + 4)]);
}

#[test]
fn every_value_knows_where_it_stands() {
    let config =
        both("policy:\n  min_score: 60\n", "start_timeout: 1s\npolicy:\n  custom:\n    - name: a\n      source: a\n");
    let at = |source: &SettingSource| match source {
        SettingSource::File(place) => format!("{place} {}", place.key()),
        SettingSource::Default | SettingSource::CertMode | SettingSource::Flag => source.as_str().to_owned(),
    };
    let [system, user] = config.layers() else { panic!("two layers") };
    assert_eq!(at(&system.rules().min_score.source), "/etc/mcp/config.yaml:3:14 policy.min_score");
    assert_eq!(at(&system.trusted().source), "/etc/mcp/config.yaml:1:15 registry_url");
    assert_eq!(at(&user.rules().min_score.source), "default");
    assert_eq!(at(&config.start_timeout.source), "~/.mcp/config.yaml:1:16 start_timeout");
    let custom = &user.rules().custom[0].place;
    assert_eq!(custom.to_string(), "~/.mcp/config.yaml:4:7");
    assert_eq!((custom.key(), custom.file()), ("policy.custom[0]", Path::new(USER.1)));
}

#[test]
fn what_a_file_says_is_in_no_debug_output() {
    let text = "# hunter2\npolicy: {min_score: 1}\n";
    assert!(!format!("{:?}", read(&[(USER, text)]).unwrap()).contains("hunter2"));
}
