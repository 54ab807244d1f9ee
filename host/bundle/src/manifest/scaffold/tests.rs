//! Manifests for several projects, each of which publishing must accept.

use super::*;
use crate::manifest::Platform;
use crate::manifest::check_author;
use crate::manifest::read;
use crate::manifest::unknown_keys;
use smcp_bed::Bed;
use smcp_model::json as documents;

/// Makes the manifest of a project with these files, and checks it as publishing does.
fn scaffolded_manifest(files: &[(&str, &str)], runtime: Option<ServerRuntime>) -> (Scaffolded, Value) {
    let bed = Bed::with([]);
    let dir = bed.source("my tool", files);
    let scaffolded = scaffold(&dir, "my tool", None, runtime).unwrap();
    let text = dir.read(MANIFEST).unwrap();
    let document = documents::read(&text).unwrap();
    check_author(&document).unwrap();
    assert_eq!(unknown_keys(&document), []);
    let found = read(&text, Platform::current()).unwrap();
    assert_eq!(found.identity.id, scaffolded.id);
    (scaffolded, Value::Object(document))
}

#[test]
fn a_project_is_taken_for_what_its_files_say() {
    let scoped = r#"{"name": "@acme/tool", "version": "2.1.0", "description": "Does it", "bin": {"x": "./a.js", "tool": "./b.js"}}"#;
    let python = "[build-system]\nname = \"no\"\n[project]\nname = \"my_tool\"\nversion = '3.0' # x\n\
                  [project.scripts]\nmy-tool = \"my_tool.cli:main\"\n";
    type Case<'c> = (&'c [(&'c str, &'c str)], Option<ServerRuntime>, &'c str, &'c str);
    let cases: &[Case<'_>] = &[
        (&[("package.json", scoped)], None, "acme/tool@2.1.0", "node b.js"),
        (&[("package.json", r#"{"name":"tool","main":"lib/x.js"}"#)], None, "local/tool@0.1.0", "node lib/x.js"),
        (&[("package.json", r#"{"name":"tool","main":"../x.js"}"#)], None, "local/tool@0.1.0", "node server.js"),
        (&[("package.json", "{"), ("index.js", "")], None, "local/my-tool@0.1.0", "node index.js"),
        (&[("package.json", r#"{"name":["x"],"version":{},"bin":7}"#)], None, "local/my-tool@0.1.0", "node server.js"),
        (
            &[("pyproject.toml", python), ("src/my_tool/cli.py", "")],
            None,
            "local/my_tool@3.0",
            "python3 -c import sys; from my_tool.cli import main; sys.exit(main())",
        ),
        (&[("pyproject.toml", "[project]\nname=\"x\"\n"), ("main.py", "")], None, "local/x@0.1.0", "python3 main.py"),
        (&[("server.py", "")], None, "local/my-tool@0.1.0", "python3 server.py"),
        (&[("server.py", "")], Some(ServerRuntime::Binary), "local/my-tool@0.1.0", "bin/my-tool"),
        (&[], Some(ServerRuntime::Python), "local/my-tool@0.1.0", "python3 server.py"),
        (&[], None, "local/my-tool@0.1.0", "node server.js"),
    ];
    for (files, runtime, name, command) in cases {
        let (found, document) = scaffolded_manifest(files, *runtime);
        assert_eq!(format!("{}@{}", found.id, found.version), *name, "{files:?}");
        assert_eq!(found.command.join(" "), *command, "{files:?}");
        assert_eq!(document["runtime"]["type"], found.runtime.as_str());
        let path = &document["entrypoint"]["env"]["PYTHONPATH"];
        assert_eq!(path.as_str(), files.iter().any(|(name, _)| name.starts_with("src/")).then_some("src"));
    }
    assert_eq!(
        (project::unnamed().to_string(), project::first_version().to_string()),
        ("local/server".into(), "0.1.0".into())
    );
}

#[test]
fn a_manifest_that_is_there_stays() {
    let bed = Bed::with([]);
    let dir = bed.source("x", &[(MANIFEST, "mine")]);
    assert!(matches!(scaffold(&dir, "x", None, None), Err(ScaffoldError::Exists)));
    assert_eq!(dir.read(MANIFEST).unwrap(), b"mine");
}
