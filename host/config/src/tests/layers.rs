//! Which files make which layer, and who may have written them.

use std::ffi::OsStr;
use std::path::Path;

use super::fake_files::FakeFiles;
use super::fake_files::Thing;
use super::fake_files::Thing::File;
use super::fake_files::Thing::Folder;
use super::places;
use crate::Config;
use crate::ConfigError;
use crate::discover::Asked;
use crate::discover::discover;

const OWN: &str = "/home/me/.mcp/config.yaml";
const SYSTEM: &str = "/etc/mcp/config.yaml";
const ANY: &str = "registry_url: https://own.example\n";
const NOBODY: Asked<'_> = Asked { flag: None, user_variable: None, system_variable: None };

fn added() -> Asked<'static> {
    Asked { system_variable: Some(OsStr::new("/s/added.yaml")), ..NOBODY }
}

fn read(asked: Asked<'_>, things: &[(&str, Thing)]) -> Result<Config, ConfigError> {
    discover(asked, &places(), &FakeFiles::new(things)).map(|found| found.config)
}

/// Returns each layer with its own policies, as `layer: name mode source`.
#[track_caller]
fn policies(asked: Asked<'_>, things: &[(&str, Thing)]) -> Vec<String> {
    let config = read(asked, things).unwrap_or_else(|error| panic!("{things:?}\n{error}"));
    let shown = |layer: &crate::Layer| {
        let own = layer.policies().iter().filter(|spec| spec.source.is_custom());
        let own = own.map(|spec| format!(" {} {} {}", spec.name, spec.mode.as_str(), spec.source));
        format!("{}:{}", layer.name().as_str(), own.collect::<Vec<_>>().join(";"))
    };
    config.layers().iter().map(shown).collect()
}

#[test]
fn each_place_is_a_layer_and_the_order_is_the_administrators_first() {
    let (system, own, more) = ((SYSTEM, File(ANY)), (OWN, File("")), ("/s/added.yaml", File(ANY)));
    let folder = ("/etc/mcp/policies.d", Folder);
    for (asked, things, layers) in [
        (NOBODY, &[][..], &["user:"][..]),
        (NOBODY, &[own], &["user:"]),
        (NOBODY, &[system], &["system:"]),
        (NOBODY, &[system, own], &["system:", "user:"]),
        (NOBODY, &[folder], &["system:"]),
        (NOBODY, &[folder, own], &["system:", "user:"]),
        (NOBODY, &[("/home/me/.mcp/policies.d", Folder)], &["user:"]),
        (added(), &[own, more], &["added:", "user:"]),
        (added(), &[more], &["added:"]),
        (added(), &[system, own, more], &["system:", "added:", "user:"]),
        // The variable removes nothing, whatever it names.
        (
            Asked { system_variable: Some(OsStr::new(OWN)), ..NOBODY },
            &[system, (OWN, File(ANY))],
            &["system:", "added:", "user:"],
        ),
    ] {
        assert_eq!(policies(asked, things), layers, "{things:?}");
    }
    let nothing = read(NOBODY, &[folder]).unwrap();
    assert!(nothing.is_configured() && nothing.notices().is_empty(), "an empty folder is a layer, too");
}

#[test]
fn a_folder_of_policies_belongs_to_the_layer_beside_it() {
    let things = [
        (
            SYSTEM,
            File("registry_url: /r\npolicy: {cert_mode: warn, custom: [{name: listed, source: policies.d/own.wasm}]}"),
        ),
        ("/etc/mcp/policies.d/own.wasm", File("x")),
        ("/etc/mcp/policies.d/bare.wasm", File("x")),
        ("/etc/mcp/policies.d/entry.yaml", File("source: /opt/entry.wasm\nmode: strict\nsettings: {allow: [a]}")),
        ("/etc/mcp/policies.d/pair.yaml", File("source: pair.wasm")),
        ("/etc/mcp/policies.d/pair.wasm", File("x")),
        ("/home/me/.mcp/policies.d/mine.wasm", File("x")),
    ];
    assert_eq!(
        policies(NOBODY, &things),
        [
            "system: listed warn /etc/mcp/policies.d/own.wasm; bare warn /etc/mcp/policies.d/bare.wasm; \
             entry strict /opt/entry.wasm; pair warn /etc/mcp/policies.d/pair.wasm",
            "user: mine strict /home/me/.mcp/policies.d/mine.wasm",
        ]
    );
    let config = read(NOBODY, &things).unwrap();
    let system = config.layers()[0].policies();
    assert_eq!(system[4].settings, serde_json::json!({}), "a bare component gets an empty object");
    assert_eq!(system[5].settings, serde_json::json!({"allow": ["a"]}));
    // Beside a file that somebody named the folder counts, too, and that is said.
    let named = Asked { flag: Some(Path::new("/x/c.yaml")), ..NOBODY };
    let beside =
        [("/x/c.yaml", File("")), ("/x/policies.d/a.wasm", File("x")), ("/home/me/.mcp/policies.d/b.wasm", File(""))];
    assert_eq!(policies(named, &beside), ["user: a strict /x/policies.d/a.wasm"]);
    assert_eq!(
        read(named, &beside).unwrap().notices()[0].to_string(),
        "/x/policies.d: its policies are read too, because it is beside the file that was named"
    );
}

#[test]
fn a_signature_in_a_folder_of_policies_is_read_where_an_entry_can_ask_for_it() {
    const ENTRY: &str = "source: a.wasm
signed_by: [{minisign: RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}]";
    let at = |name: &str| format!("/home/me/.mcp/policies.d/{name}");
    let names =
        ["a.yaml", "a.wasm", "a.wasm.minisig", "a.wasm.sigstore.json", "b.wasm", "b.wasm.minisig", "c.wasm.minisig"];
    let things: Vec<_> = names.iter().map(|name| (at(name), if *name == "a.yaml" { ENTRY } else { "x" })).collect();
    let things: Vec<_> = things.iter().map(|(name, text)| (name.as_str(), File(text))).collect();
    let config = read(NOBODY, &things).unwrap();
    let [own] = config.layers() else { panic!("{:?}", config.layers()) };
    let signed: Vec<_> = own.policies().iter().filter(|policy| policy.signed_by.is_some()).collect();
    assert_eq!(signed.len(), 1);
    assert_eq!(signed[0].name.as_str(), "a");
    let notices: Vec<_> = config.notices().iter().map(ToString::to_string).collect();
    let unread = "not read, since only NAME.yaml and NAME.wasm are: b.wasm.minisig, c.wasm.minisig";
    assert_eq!(notices, [format!("/home/me/.mcp/policies.d: {unread}")]);
}

#[test]
fn a_file_that_was_meant_as_a_policy_is_never_passed_over() {
    let folder = "~/.mcp/policies.d";
    let at = |name: &str| format!("/home/me/.mcp/policies.d/{name}");
    let valid = File("source: a.wasm");
    for (files, says) in [
        (
            &[("a.yml", valid)][..],
            format!("{folder}/a.yml: it is not read: a policy's file is called `NAME.yaml` (allowed: a.yaml)"),
        ),
        (&[("a.YAML", valid)], format!("{folder}/a.YAML: it is not read")),
        (&[("a.WASM", valid)], format!("{folder}/a.WASM: it is not read: a policy's component is called `NAME.wasm`")),
        (&[("a.wat", valid)], format!("{folder}/a.wat: it is not read")),
        (&[("A.yaml", valid)], format!("{folder}/A.yaml: the file's name is the policy's, and this is none")),
        (&[("a_b.wasm", valid)], format!("{folder}/a_b.wasm: the file's name")),
        (&[("score.wasm", valid)], format!("{folder}/score.wasm: the file's name")),
        (
            &[("a.yaml", File(""))],
            format!("{folder}/a.yaml:1:1: a file of `policies.d` (its own name is the policy's) has no value"),
        ),
        (
            &[("a.yaml", File("name: a\nsource: b.wasm"))],
            format!("{folder}/a.yaml:1:1: unknown key `name` in a file of"),
        ),
        (&[("a.yaml", Folder)], format!("{folder}/a.yaml: the configuration can't be read: it is not a regular file")),
        (&[("a.yaml", Thing::Dangling)], format!("{folder}/a.yaml: the configuration can't be read")),
        (
            &[("a.yaml", File("source: b.wasm")), ("a.wasm", File("x"))],
            format!("{folder}/a.yaml: its `source` is {folder}/b.wasm, and {folder}/a.wasm is beside it"),
        ),
    ] {
        let paths: Vec<_> = files.iter().map(|(name, thing)| (at(name), *thing)).collect();
        let things: Vec<_> = paths.iter().map(|(path, thing)| (path.as_str(), *thing)).collect();
        let said = read(NOBODY, &things).unwrap_err().to_string();
        assert!(said.starts_with(&says), "{files:?}: {said}");
    }
    // A name twice in one layer, also over files.
    let twice =
        [(OWN, File("policy: {custom: [{name: a, source: b.wasm}]}")), ("/home/me/.mcp/policies.d/a.wasm", File("x"))];
    let said = read(NOBODY, &twice).unwrap_err().to_string();
    assert!(
        said.contains("another policy of this layer has the name `a` too, first in ~/.mcp/config.yaml:1:26"),
        "{said}"
    );
    // What was not meant as one is named in a notice.
    let others: Vec<_> = ["README", "a.yaml~", ".b.yaml.swp", "c.yaml.rpmsave", "keep"].into_iter().map(at).collect();
    let things: Vec<_> = others.iter().map(|path| (path.as_str(), File("x"))).collect();
    assert_eq!(
        read(NOBODY, &things).unwrap().notices()[0].to_string(),
        "/home/me/.mcp/policies.d: not read, since only NAME.yaml and NAME.wasm are: .b.yaml.swp, README, a.yaml~, \
         c.yaml.rpmsave, keep"
    );
}

#[test]
fn a_layer_believes_what_it_says_and_a_folder_alone_what_is_used() {
    let trusted = |things: &[(&str, Thing)]| {
        let config = read(NOBODY, things).unwrap_or_else(|error| panic!("{error}"));
        config.layers()[0].trusted().value.clone().map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let folder = ("/etc/mcp/policies.d", Folder);
    assert_eq!(trusted(&[(SYSTEM, File(ANY))]), Some(vec!["https://own.example".to_owned()]));
    assert_eq!(trusted(&[(SYSTEM, File(ANY)), folder]), Some(vec!["https://own.example".to_owned()]));
    assert_eq!(trusted(&[(SYSTEM, File("trusted_registries: [/r]")), folder]), Some(vec!["/r".to_owned()]));
    assert_eq!(trusted(&[folder, (OWN, File(ANY))]), None);
    for file in [(SYSTEM, File("")), (SYSTEM, File("policy: {min_score: 1}"))] {
        let said = read(NOBODY, &[file, folder]).unwrap_err().to_string();
        assert!(
            said.starts_with("/etc/mcp/config.yaml:1:1: a system layer must say whose facts it believes"),
            "{said}"
        );
    }
}

#[test]
fn only_root_may_own_an_administrators_rules() {
    let suspects = |asked: Asked<'_>, files: FakeFiles| -> Vec<String> {
        let found = discover(asked, &places(), &files).unwrap();
        found.suspects.iter().map(|suspect| format!("{} {}", suspect.why.remedy(), suspect.path.display())).collect()
    };
    let things = || {
        let all = [
            (SYSTEM, File(ANY)),
            ("/etc/mcp/policies.d/a.wasm", File("x")),
            ("/etc/mcp/policies.d/b.yaml", File("source: b.wasm")),
            ("/s/added.yaml", File(ANY)),
            (OWN, File("")),
        ];
        FakeFiles::new(&all)
    };
    assert_eq!(suspects(added(), things()), [""; 0]);
    for path in [SYSTEM, "/etc/mcp/policies.d/b.yaml", "/etc/mcp/policies.d", "/etc/mcp", "/etc"] {
        assert_eq!(suspects(added(), things().owned(path)), [format!("chown {path}")]);
        assert_eq!(suspects(added(), things().writable(path)), [format!("chmod go-w {path}")]);
    }
    // The user may own the added file and his own, but others may not write to them.
    for path in [OWN, "/home/me/.mcp", "/s/added.yaml"] {
        assert_eq!(suspects(added(), things().owned(path)), [""; 0]);
        assert_eq!(suspects(added(), things().writable(path)), [format!("chmod go-w {path}")]);
    }
    // Without an administrator's rules nothing of his is asked for.
    assert_eq!(suspects(NOBODY, FakeFiles::new(&[(OWN, File(""))]).owned("/etc")), [""; 0]);
}
