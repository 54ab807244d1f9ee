//! Manifests of the format, and what becomes of them.

use super::*;

fn manifest() -> Value {
    json!({
        "manifest_version": "0.3", "name": "tool", "version": "1.0.0", "description": "A tool", "author": {"name": "Acme"},
        "icon": "icon.png",
        "server": {
            "type": "node", "entry_point": "server/index.js",
            "mcp_config": {"command": "node", "args": ["${__dirname}/server/index.js"], "env": {}},
        },
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut manifest = manifest();
    change(&mut manifest);
    manifest
}

fn drafted(manifest: &Value) -> Result<McpbDraft, String> {
    let read = McpbManifest::read(manifest.to_string().as_bytes());
    let entries = ["server/index.js", "main.py"].map(ZipEntry::empty);
    read.and_then(|manifest| manifest.draft(&entries, Some("mcpb"))).map_err(|error| error.to_string())
}

#[test]
fn every_version_of_the_format_is_read() {
    for version in VERSIONS {
        assert!(drafted(&with(|manifest| manifest["manifest_version"] = version.into())).is_ok(), "{version}");
    }
    let first = with(|manifest| {
        manifest.as_object_mut().unwrap().remove("manifest_version");
        manifest["dxt_version"] = "0.1".into();
    });
    let draft = drafted(&first).unwrap();
    assert_eq!(draft.command, ["node", "server/index.js"]);
    assert_eq!((draft.name.as_str(), draft.description.as_deref()), ("tool", Some("A tool")));
}

#[test]
fn what_can_not_be_started_is_refused_with_the_reason() {
    for (pointer, value, reason) in [
        ("/manifest_version", json!("1.0"), "`manifest_version` is `1.0`"),
        ("/name", json!(""), "`name` is missing"),
        ("/version", json!(1), "`version` is missing"),
        ("/server", json!([]), "`server` is missing"),
        ("/server/type", json!("uv"), "fetches at every start"),
        (
            "/server/mcp_config",
            json!({"command": "npx", "args": ["-y", "evil"]}),
            "its command `npx` fetches at every start",
        ),
        ("/server/mcp_config", json!({"command": "uvx", "args": ["evil"]}), "smcp import npm:NAME or pypi:NAME"),
        ("/server/mcp_config", json!({"command": "docker", "args": ["run", "-i", "evil"]}), "`docker run` fetches"),
        ("/server/mcp_config", json!({"command": "sh", "args": ["-c", "npx evil"]}), "its command `npx` fetches"),
        (
            "/server/mcp_config/env",
            json!({"NODE_OPTIONS": "--require /tmp/x.js"}),
            "`mcp_config.env` sets NODE_OPTIONS",
        ),
        ("/server/mcp_config/env", json!({"A": "1", "PATH": "${__dirname}/bin"}), "`mcp_config.env` sets PATH"),
        ("/server/mcp_config/env", json!({"LD_PRELOAD": "x.so"}), "`mcp_config.env` sets LD_PRELOAD"),
        ("/server/mcp_config/env", json!({"PYTHONPATH": "${__dirname}/lib:/tmp"}), "`mcp_config.env` sets PYTHONPATH"),
        ("/server/mcp_config/env", json!({"NODE_PATH": "${HOME}/x"}), "`mcp_config.env` sets NODE_PATH"),
        ("/server/mcp_config/env", json!({"NODE_OPTIONS": "${user_config.options}"}), "sets NODE_OPTIONS"),
        (
            "/server/entry_point",
            json!("server/gone.js"),
            "`server.entry_point` names `server/gone.js`, which is not in it",
        ),
        ("/server/entry_point", json!("server"), "`server.entry_point` names `server`"),
        ("/server/mcp_config/args", json!(["${__dirname}/dist/x.js"]), "`server.mcp_config.args` names `dist/x.js`"),
        ("/server/type", json!("ruby"), "none of node"),
        ("/server/mcp_config", Value::Null, "nothing says what is started"),
        ("/server/mcp_config/command", json!(""), "nothing says what is started"),
        ("/server/mcp_config/args", json!("x"), "`server.mcp_config`"),
        ("/server/mcp_config/command", json!("/bin/sh"), "expected a name"),
        ("/server/mcp_config/command", json!("${user_config.x}"), "expected a name"),
        ("/server/mcp_config/command", json!("${__dirname}/server/run"), "which is not in it"),
        ("/server/mcp_config/command", json!("${__dirname}/../run"), "which is not in it"),
    ] {
        let changed = with(|manifest| *manifest.pointer_mut(pointer).unwrap() = value.clone());
        let error = drafted(&changed).map(|_| ()).unwrap_err();
        assert!(error.contains(reason), "{pointer}: {error}");
    }
    let elsewhere = with(|manifest| manifest["compatibility"] = json!({"platforms": ["win32"]}));
    assert!(drafted(&elsewhere).map(|_| ()).unwrap_err().contains("it is for win32"));
    let here = Platform::current().os();
    assert!(drafted(&with(|manifest| manifest["compatibility"] = json!({"platforms": ["win32", here]}))).is_ok());
    let twice = manifest().to_string().replace("\"name\":\"tool\"", "\"name\":\"tool\",\"name\":\"evil\"");
    assert!(McpbManifest::read(twice.as_bytes()).unwrap_err().to_string().contains("stands twice"));
}

#[test]
fn what_the_user_is_asked_for_becomes_variables() {
    let asks = with(|manifest| {
        manifest["user_config"] = json!({
            "api_key": {"type": "string", "title": "Key", "description": "From your account", "required": true, "sensitive": true},
            "allowed-dirs": {"type": "directory", "multiple": true, "required": true, "default": ["${HOME}/Desktop", "${DOCUMENTS}"]},
            "verbose": {"type": "boolean", "default": false},
            "limit": {"type": "number", "required": false},
            "path": {"type": "string", "required": true},
            "unused": {"type": "string"},
        });
        manifest["server"]["mcp_config"] = json!({
            "command": "node",
            "args": ["${__dirname}/server/index.js", "--limit=${user_config.limit}", "${user_config.allowed-dirs}",
                     "--path", "${user_config.path}"],
            "env": {"ACME_KEY": "${user_config.api_key}", "HEADER": "Bearer ${user_config.api_key}", "V": "${user_config.verbose}",
                    "DATA": "${__dirname}${/}data", "SAVE": "${DOWNLOADS}/x"},
        });
    });
    let draft = drafted(&asks).unwrap();
    assert_eq!(
        draft.command,
        ["node", "server/index.js", "--limit=${LIMIT}", "${ALLOWED_DIRS}", "--path", "${CONFIG_PATH}"]
    );
    let env = json!({"HEADER": "Bearer ${ACME_KEY}", "DATA": "data", "SAVE": "${HOME}/Downloads/x"});
    assert_eq!(Value::Object(draft.env), env);
    let expected = json!({
        "ACME_KEY": {"about": "From your account", "required": true, "secret": true},
        "ALLOWED_DIRS": {"default": r#"["${HOME}/Desktop","${HOME}/Documents"]"#, "list": true},
        "V": {"default": "false"},
        "LIMIT": {},
        "CONFIG_PATH": {"required": true},
        "HOME": {},
    });
    assert_eq!(Value::Object(draft.variables), expected);
    assert!(draft.remarks[0].as_str().contains("unused"), "{:?}", draft.remarks);
}

#[test]
fn two_things_never_become_one_variable() {
    let asks = |keys: Value, env: Value| {
        with(|manifest| {
            manifest["user_config"] = keys;
            manifest["server"]["mcp_config"]["args"] =
                json!(["${user_config.a-b}", "${user_config.a_b}", "${user_config.x}"]);
            manifest["server"]["mcp_config"]["env"] = env;
        })
    };
    for (keys, env) in
        [(json!({"a-b": {}, "a_b": {}}), json!({})), (json!({"a-b": {}}), json!({"A_B": "something else"}))]
    {
        let error = drafted(&asks(keys, env)).map(|_| ()).unwrap_err();
        assert!(error.contains("would be the variable A_B"), "{error}");
    }
    let taken = drafted(&asks(json!({"x": {}}), json!({"SMCP_X": "${user_config.x}"}))).unwrap();
    assert_eq!(taken.command.last().unwrap(), "${X}");
}

#[test]
fn what_is_said_for_this_system_goes_before_what_is_said_for_all() {
    let here = Platform::current().os();
    let overrides = |over: Value| {
        with(|manifest| {
            manifest["server"]["mcp_config"]["env"] = json!({"A": "1"});
            manifest["server"]["mcp_config"]["platform_overrides"] =
                json!({"win32": {"command": "node.exe"}, here: over});
        })
    };
    let draft = drafted(&overrides(json!({"command": "deno", "args": ["x"], "env": {"B": "2"}}))).unwrap();
    assert_eq!((draft.command, Value::Object(draft.env)), (vec!["deno".to_owned(), "x".to_owned()], json!({"B": "2"})));
    let draft = drafted(&overrides(json!({"command": ""}))).unwrap();
    assert_eq!((draft.command[0].as_str(), Value::Object(draft.env)), ("node", json!({"A": "1"})));
}

#[test]
fn places_of_the_clients_machine_become_places_of_the_bundle() {
    for (text, expected) in [
        ("${__dirname}", "."),
        ("${__dirname}/a", "a"),
        ("--x=${__dirname}/a", "--x=./a"),
        ("${__dirname}x", ".x"),
        ("a${/}b${pathSeparator}c", "a/b/c"),
        ("${DESKTOP}", "${HOME}/Desktop"),
        ("${HOME}", "${HOME}"),
        ("${other}", "${other}"),
    ] {
        assert_eq!(places(text), expected);
    }
}

#[test]
fn python_is_started_by_the_name_that_it_has_here() {
    let python = with(|manifest| {
        manifest["server"]["type"] = "python".into();
        manifest["server"]["mcp_config"] =
            json!({"command": "python", "args": ["${__dirname}/main.py"], "env": {"PYTHONPATH": "${__dirname}/lib"}});
    });
    let draft = drafted(&python).unwrap();
    assert_eq!(draft.command, ["python3", "main.py"]);
    assert_eq!(Value::Object(draft.env), json!({"PYTHONPATH": "lib"}));
    assert_eq!(draft.remarks.len(), 1);
}
