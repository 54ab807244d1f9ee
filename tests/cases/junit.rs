//! `--junit`: XML that every reader of JUnit takes.

use std::process::Command;

use crate::BAD;
use crate::GOOD;
use crate::bed;
use crate::bed::TestBed;

/// Reads a document as a CI system does, and holds it to the elements and attributes of the schema of Jenkins
/// (junit-10.xsd): prints for each case its suite, name and result.
const READER: &str = "
import re, sys, xml.etree.ElementTree as tree
allowed = {
    'testsuites': {'name', 'time', 'tests', 'failures', 'errors'},
    'testsuite': {'name', 'tests', 'failures', 'errors', 'time', 'skipped', 'timestamp', 'hostname', 'id', 'package', 'file'},
    'testcase': {'name', 'time', 'classname', 'group'},
    'failure': {'type', 'message'},
    'error': {'type', 'message'},
}
inside = {'testsuites': {'testsuite'}, 'testsuite': {'testcase'}, 'testcase': {'failure', 'error'}, 'failure': set(), 'error': set()}
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == 'testsuites', root.tag
for element in root.iter():
    assert set(element.attrib) <= allowed[element.tag], element.attrib
    assert {child.tag for child in element} <= inside[element.tag]
    if 'time' in element.attrib:
        assert re.fullmatch(r'[0-9]+(\\.[0-9]+)?', element.attrib['time']), element.attrib
    if element.tag in ('testsuites', 'testsuite'):
        count = lambda tag: str(len(list(element.iter(tag))))
        assert (element.get('tests'), element.get('failures'), element.get('errors')) == (count('testcase'), count('failure'), count('error'))
for suite in root:
    for case in suite:
        print(suite.get('name'), case.get('classname'), case.get('name'), *[child.tag + ': ' + child.text for child in case], sep=' | ')
";

fn read(bed: &TestBed, file: &str) -> String {
    let output = Command::new("python3").args(["-c", READER]).arg(bed.path(file)).output().unwrap();
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), bed.read(file));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_reader_of_junit_gets_every_case() {
    let bed = bed();
    bed.write("cases/a.yaml", GOOD);
    bed.write("cases/b.yaml", BAD);
    let ran = bed.run("policy test --junit out.xml").exits(1);
    assert!(ran.stdout.starts_with("✗ 5 of 9 cases fail"), "people see it as well: {ran}");
    insta::assert_snapshot!("junit", read(&bed, "out.xml"));
    bed.run("policy test --update --junit out.xml").succeeds();
    assert!(!read(&bed, "out.xml").contains("failure"), "what was updated does not fail");
}

#[test]
fn text_of_others_is_text_in_it() {
    let bed = bed();
    let name = "a <b> & \\\"c\\\" ]]> &amp; 'd' é";
    bed.write(
        "<&>.yaml",
        format!("cases:\n- name: \"{name}\"\n  settings: {{\"\\e]0;<x>\\a\\u202e\": 1}}\n  expect: allow\n"),
    );
    bed.smcp("policy test --junit out.xml --cases").args(&["<&>.yaml"]).run().exits(1);
    let shown = read(&bed, "out.xml");
    assert!(shown.starts_with("<&>.yaml | no-network | a <b> & \"c\" ]]> &amp; 'd' é | failure: "), "{shown}");
    assert!(shown.contains("`/\\u{1b}]0;<x>\\u{7}\\u{202e}`"), "{shown}");
}

#[test]
fn a_run_that_does_not_begin_is_an_error_and_no_older_result_stays() {
    let bed = bed();
    bed.write("cases/a.yaml", GOOD);
    bed.run("policy test --junit out.xml").succeeds();
    bed.write("cases/b.yaml", "cases:\n- {name: \"<&\\e\", expect: alow}\n");
    bed.run("policy test --junit out.xml").exits(1).says(&["cases/b.yaml:2:"]);
    let shown = read(&bed, "out.xml");
    assert!(shown.starts_with("smcp policy test | smcp policy test | the cases can be run | error: "), "{shown}");
    assert!(shown.contains("cases/b.yaml:2:10: `name` is the text `<&\\u{1b}`"), "{shown}");
    bed.run("policy test --junit out.xml gone.wasm").exits(1);
    assert!(read(&bed, "out.xml").contains("gone.wasm"));
    for (file, says) in [("gone/out.xml", "gone"), ("cases", "not a regular file"), ("/", "names no file")] {
        bed.smcp("policy test --junit").args(&[file]).run().exits(1).says(&[says]);
    }
}

#[test]
fn results_are_never_written_over_what_is_tested() {
    let bed = bed();
    bed.write("cases/good.yaml", GOOD);
    for name in ["no_network.wasm", "cases/good.yaml"] {
        let before = std::fs::read(bed.path(name)).unwrap();
        bed.run(&format!("policy test --junit ./{name}")).exits(1).says(&["would be written over"]).prints("");
        assert_eq!(std::fs::read(bed.path(name)).unwrap(), before, "{name}");
    }
}
