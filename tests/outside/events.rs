//! The events of `audit export` against the schema that OCSF publishes.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::bed::Package;
use crate::bed::TestBed;

/// What has the schema, and what holds a document against it.
const PACKAGES: [&str; 2] = ["ocsf-json-schema==1.2.0", "jsonschema==4.26.0"];

/// Prints what is wrong with each event, and at last how many are right.
const JUDGE: &str = "
import json, sys
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
right = 0
for line in open(sys.argv[1], encoding='utf-8'):
    event = json.loads(line)
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=event['metadata']['version']))
    name = schemas.lookup_class_name_from_uid(class_uid=event['class_uid'])
    schema = schemas.get_class_schema(class_name=name, profiles=event['metadata']['profiles'])
    wrong = [f'{list(it.path)}: {it.message}' for it in Draft202012Validator(schema).iter_errors(event)]
    right += not wrong
    for it in wrong:
        print(event['metadata'].get('sequence'), it)
print(right)
";

/// Installs the packages into `target`, once; the reason when that can't be done here.
fn python() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("target/languages/ocsf");
    let python = folder.join("bin/python3");
    let run = |command: &mut Command| command.output().is_ok_and(|output| output.status.success());
    if run(Command::new(&python).args(["-c", "import jsonschema, ocsf_json_schema"])) {
        return Ok(python);
    }
    if !run(Command::new("python3").args(["-m", "venv"]).arg(&folder)) {
        return Err("this machine has no Python 3 with venv".to_owned());
    }
    match run(Command::new(&python).args(["-m", "pip", "--quiet", "install"]).args(PACKAGES)) {
        true => Ok(python),
        false => Err(format!("{} can't be installed", PACKAGES.join(" and "))),
    }
}

#[test]
fn every_event_is_one_of_the_published_schema() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            eprintln!("skipped: {why}");
            return;
        }
    };
    let bed = TestBed::new();
    bed.configure("policy: {min_score: 80}\n");
    bed.publish(&Package::shell("acme/tool@1.0.0", "exit 3").good());
    bed.publish(&Package::shell("acme/low@1.0.0", "").facts("community", 0, 50));
    bed.run("run acme/tool@1.0.0").exits(3);
    bed.run("policy check acme/tool@1.0.0").succeeds();
    bed.run("run acme/low@1.0.0").exits(4);
    bed.run("run acme/missing@1.0.0").exits(2);
    bed.run("run acme/tool@1.0.0 --timeout 1ns").exits(5);
    bed.write("revoked.json", "{\"name\": \"\\u001b<script>\", \"status\": \"revoked\"}");
    bed.run("policy eval --facts revoked.json").exits(4);
    bed.write(".mcp/audit.jsonl", bed.read(".mcp/audit.jsonl") + "damaged\n");
    let events = bed.run("audit export --format ocsf").succeeds().raw;
    let count = events.lines().count();
    assert!(count >= 9, "{events}");
    bed.write("events.jsonl", events);
    let judged = Command::new(python).args(["-c", JUDGE]).arg(bed.path("events.jsonl")).output().unwrap();
    let said = String::from_utf8(judged.stdout).unwrap();
    assert_eq!(said, format!("{count}\n"), "{}", String::from_utf8_lossy(&judged.stderr));
}
