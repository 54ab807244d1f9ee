//! Follows `docs/ci.md` in a repository as it describes, and holds its configurations of CI systems to what was run.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::page::Reader;
use crate::page::shows;
use crate::pages::of_today;

const PAGE: &str = "docs/ci.md";

/// A repository before the first step of the page, and its reader.
fn repository() -> (TestBed, Reader) {
    let bed = TestBed::new();
    bed.write("policies/no_network.wasm", fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap());
    bed.publish(&Package::greeter("acme/good@1.0.0").facts("verified", 2, 95));
    bed.publish(&Package::greeter("acme/poor@1.0.0").facts("community", 0, 35));
    for folder in ["policies/cases", ".github/workflows", ".vscode"] {
        fs::create_dir_all(bed.path(folder)).unwrap();
    }
    let reader = Reader::of(&bed);
    (bed, reader)
}

#[test]
fn the_page_about_ci_works_word_for_word() {
    let page = of_today().into_iter().find(|page| page.name == PAGE).unwrap();
    let (bed, mut reader) = repository();
    let (mut printed, mut followed, mut run) = (None, 0, Vec::new());
    for block in page.blocks() {
        if let Some(file) = block.value("file") {
            reader.writes(file, &block.text);
        } else if block.is("run") {
            run.extend(block.text.lines().map(ToOwned::to_owned));
            printed = Some(reader.runs(&block));
        } else if block.language() == "text" {
            shows(Path::new(PAGE), &block, &printed.take().unwrap());
            followed += 1;
        }
    }
    assert_eq!(followed, 2, "the page was followed");
    for (file, at) in [(".github/workflows/smcp.yml", "/jobs/smcp/steps"), (".gitlab-ci.yml", "/smcp/script")] {
        let workflow: Value = serde_yaml::from_str(&bed.read(file)).unwrap();
        let steps = workflow.pointer(at).unwrap().as_array().unwrap();
        let commands: Vec<_> = steps.iter().filter_map(|step| step.get("run").unwrap_or(step).as_str()).collect();
        assert!(!commands.is_empty(), "{file}");
        assert!(commands.iter().all(|command| run.iter().any(|line| line == command)), "{file} was run: {commands:?}");
    }
    let settings: Value = serde_json::from_str(&bed.read(".vscode/settings.json")).unwrap();
    for schema in settings["yaml.schemas"].as_object().unwrap().keys() {
        assert!(bed.has(schema), "{schema}");
    }
    // What the page says of the hooks is what the hooks are.
    let hooks: Value =
        serde_yaml::from_str(&fs::read_to_string(format!("{ROOT}/.pre-commit-hooks.yaml")).unwrap()).unwrap();
    let used: Value = serde_yaml::from_str(&bed.read(".pre-commit-config.yaml")).unwrap();
    for (hook, used) in hooks.as_array().unwrap().iter().zip(used["repos"][0]["hooks"].as_array().unwrap()) {
        assert_eq!((&hook["id"], &hook["args"], &hook["pass_filenames"]), (&used["id"], &used["args"], &false.into()));
        let words = [hook["entry"].as_str().unwrap()].into_iter();
        let words: Vec<_> = words.chain(hook["args"].as_array().unwrap().iter().filter_map(Value::as_str)).collect();
        assert!(run.contains(&words.join(" ")), "{words:?} was run");
    }
}

#[test]
fn a_hook_fails_where_something_is_wrong() {
    let (bed, _) = repository();
    bed.write("smcp.yaml", "policy: {min_scor: 80}\n");
    bed.write("policies/cases/a.yaml", "cases: [{name: a, expect: {violations: [b]}}]\n");
    bed.run("config validate --config smcp.yaml").exits(1).says(&["min_score"]);
    bed.run("policy test policies").exits(1);
}
