//! `policy build FILE.wasm`: modules, finished components, and whatever else somebody names.

use std::fs;
use std::os::unix::fs::symlink;

use crate::bed::ROOT;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::guest::Twin;

/// Builds a file of these bytes, which must fail with these words and leave nothing.
#[track_caller]
fn refuses(bytes: impl AsRef<[u8]>, words: &[&str]) -> Ran {
    let bed = TestBed::new();
    bed.write("some.wasm", bytes);
    let ran = bed.run("policy build some.wasm").refuses(1, words);
    assert_eq!(bed.list(".").into_iter().filter(|name| name != ".mcp").collect::<Vec<_>>(), ["some.wasm"], "{ran}");
    ran
}

#[test]
fn a_module_becomes_the_component_that_a_start_takes() {
    let bed = TestBed::new();
    bed.write("module.wasm", Twin::honest().module());
    insta::assert_snapshot!("module", bed.run("policy build module.wasm").succeeds());
    let component = fs::read(bed.path("honest.wasm")).unwrap();
    assert_eq!(component.get(4..8), Some(b"\x0d\0\x01\0".as_slice()), "a component");
    insta::assert_snapshot!("module_json", bed.run("--json policy build module.wasm").succeeds().document_shown(&bed));
    assert_eq!(fs::read(bed.path("honest.wasm")).unwrap(), component, "the same bytes each time");
    bed.run("policy inspect honest.wasm").succeeds();
}

#[test]
fn a_module_of_a_compiler_that_knows_no_wit_gets_the_world_and_the_stub() {
    let bed = TestBed::new();
    let module = Twin::honest()
        .with("(import \"wasi_snapshot_preview1\" \"random_get\" (func $random (param i32 i32) (result i32)))")
        .module();
    // As C and Go make it: no world, and what they ask of WASI.
    bed.write("module.wasm", smcp_author::without_custom_sections(&module).unwrap());
    let document = bed.run("--json policy build module.wasm").succeeds().document();
    assert_eq!(document["imports"], serde_json::json!(["smcp:policy/logging@0.1.0"]));
}

#[test]
fn a_finished_component_stays_as_it_is() {
    let bed = TestBed::new();
    let component = fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    bed.write("policies/no-network.wasm", &component);
    let before = fs::metadata(bed.path("policies/no-network.wasm")).unwrap().modified().unwrap();
    bed.run("policy build policies/no-network.wasm").succeeds();
    let after = fs::metadata(bed.path("policies/no-network.wasm")).unwrap().modified().unwrap();
    assert_eq!(before, after, "under its own name it is not written again");
    bed.write("another name.wasm", &component);
    bed.smcp("policy build").args(&["another name.wasm"]).run().succeeds();
    assert_eq!(fs::read(bed.path("no-network.wasm")).unwrap(), component);
}

#[test]
fn what_is_no_policy_is_refused_with_the_reason() {
    let text = |text: &str| wat::parse_str(text).unwrap();
    let cases: [(Vec<u8>, &[&str]); 8] = [
        (Vec::new(), &["some.wasm is not a policy that can be used (load): it is empty"]),
        (b"#!/bin/sh\n".to_vec(), &["(load): it is", "not a component"]),
        (text("(module)"), &["it can't be made a component of wit/policy.wit", "smcp:policy/evaluator@0.1.0"]),
        (text("(module (import \"env\" \"now\" (func)))"), &["it can't be made a component", "`env`"]),
        (b"\0asm\x01\0\0\0\x01\xff".to_vec(), &["a section is cut off"]),
        (text("(component)"), &["(interface): it exports nothing"]),
        (Twin::of("proposal-async-task").component(), &["it does not compile", "componentize-qjs with `--sync`"]),
        (Twin::honest().with("(func $describe (result i32) unreachable)").component(), &["(trap)"]),
    ];
    for (bytes, words) in cases {
        refuses(bytes, words);
    }
}

#[test]
fn bombs_are_refused_before_anything_compiles_them() {
    // A function of a megabyte; 5,000 types inside one another in the module's world; 300 MB of zeros.
    let body = "(nop)".repeat(1_100_000);
    let module = Twin::honest().with(&format!("(func $describe (result i32) {body} (i32.const 0))")).module();
    refuses(module, &["(load): it has more than", "bytes in one function, the most a policy may have"]);

    let mut world = b"\0asm\x01\0\0\0".to_vec();
    let section = [b"\x15component-type:policy".as_slice(), &[0x01, 0x41].repeat(5_000)].concat();
    world.extend([0, 0x80 | (section.len() & 0x7f) as u8, (section.len() >> 7) as u8]);
    world.extend(section);
    refuses(world, &["its world has more than 1000 types inside others"]);

    let bed = TestBed::new();
    fs::File::create(bed.path("huge.wasm")).unwrap().set_len(300 << 20).unwrap();
    bed.run("policy build huge.wasm").refuses(1, &["huge.wasm: it has more than", "the most that is read"]);
    let pipe = bed.path("pipe.wasm");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    bed.run("policy build pipe.wasm").refuses(1, &["pipe.wasm", "not a regular file"]);
    bed.run("policy build nowhere.wasm").refuses(1, &["nowhere.wasm", "No such file"]);
}

#[test]
fn the_entry_can_be_pasted_whatever_the_folder_is_called() {
    let module = Twin::honest().module();
    for folder in ["policies", "my policies: v1 #2", "it's \"quoted\"", "ünïcode", "- list", "*anchor", "tab\there"] {
        let bed = TestBed::new();
        bed.write(&format!("{folder}/module.wasm"), &module);
        let ran = bed.smcp("policy build").args(&[format!("./{folder}/module.wasm")]).run().succeeds();
        let (_, entry) = ran.raw.split_once("\n\npolicy:").unwrap();
        bed.configure(&format!("policy:{entry}"));
        bed.run("config validate").succeeds();
        let listed = bed.run("--json policy list").succeeds().raw;
        assert!(listed.contains("\"honest\""), "{folder}: {listed}");
        let said =
            bed.smcp("--json policy build").args(&[format!("./{folder}/module.wasm")]).run().succeeds().document();
        assert_eq!(format!("policy:{}", entry.trim_end()), said["entry"].as_str().unwrap(), "{folder}");
    }
}

#[test]
fn settings_that_are_needed_are_said_beside_the_entry() {
    let bed = TestBed::new();
    let answer = "(data $answer (i32.const 0x40) (i32 1 0x50 1))";
    bed.write("module.wasm", Twin::honest().with(answer).module());
    bed.run("policy build module.wasm").succeeds();
    insta::assert_snapshot!("needs_settings", bed.run("policy build module.wasm").succeeds());
}

#[test]
fn a_file_that_cant_be_written_fails_and_an_older_one_stays_when_the_new_one_is_none() {
    let bed = TestBed::new();
    bed.write("module.wasm", Twin::honest().module());
    for output in ["nowhere/policy.wasm", ".mcp", "/proc/policy.wasm"] {
        bed.write(".mcp/x", "");
        bed.run(&format!("policy build module.wasm --output {output}")).refuses(1, &["while writing", output]);
    }
    assert!(!bed.has("honest.wasm"));
    bed.write("honest.wasm", "an older one");
    bed.write("module.wasm", wat::parse_str("(module)").unwrap());
    bed.run("policy build module.wasm").exits(1);
    assert_eq!(bed.read("honest.wasm"), "an older one");
}

#[test]
fn links_are_followed_to_the_module_and_replaced_by_the_component() {
    let bed = TestBed::new();
    bed.write("real/module.wasm", Twin::honest().module());
    bed.write("precious", "not a component");
    symlink(bed.path("real/module.wasm"), bed.path("link.wasm")).unwrap();
    symlink(bed.path("precious"), bed.path("real/honest.wasm")).unwrap();
    bed.run("policy build link.wasm").succeeds();
    assert_eq!(bed.read("precious"), "not a component", "what a link of that name leads to is not written");
    assert!(fs::symlink_metadata(bed.path("real/honest.wasm")).unwrap().is_file());
}

#[test]
fn a_module_is_never_replaced_by_what_is_made_of_it() {
    let bed = TestBed::new();
    let module = Twin::honest().module();
    // The policy calls itself `honest`, too.
    bed.write("honest.wasm", &module);
    symlink(bed.path("honest.wasm"), bed.path("link.wasm")).unwrap();
    for line in ["honest.wasm", "honest.wasm -o ./honest.wasm", "link.wasm -o link.wasm"] {
        bed.run(&format!("policy build {line}")).refuses(1, &["would be written over the module", "--output"]);
        assert_eq!(fs::read(bed.path("honest.wasm")).unwrap(), module, "{line}");
    }
    bed.run("policy build honest.wasm -o component.wasm").succeeds();
    bed.write("sources.txt", "a source");
    for what in ["build honest.wasm", "build .", "pull oci://localhost:1/none:1"] {
        bed.run(&format!("policy {what} -o sources.txt")).refuses(1, &["sources.txt", "is no WebAssembly"]);
    }
    assert_eq!(bed.read("sources.txt"), "a source");
    // Such a file `mktemp` makes.
    bed.write("empty", "");
    bed.run("policy build honest.wasm -o empty").succeeds();
}

#[test]
fn a_build_compiles_ahead() {
    let bed = TestBed::new();
    bed.write("module.wasm", Twin::honest().module());
    bed.run("policy build module.wasm").succeeds();
    let rows = bed.run("--json policy compile honest.wasm").succeeds().document();
    assert_eq!(rows["components"][0]["state"], "kept", "{rows}");
}

#[test]
fn no_change_of_a_module_stops_smcp_itself() {
    let module = Twin::honest().module();
    let mut refused = 0;
    for index in 0..module.len() {
        let mut other = module.clone();
        other[index] ^= 1 << (index % 8);
        // Whether it still is one is for the encoder to say; but it has to say it.
        refused += usize::from(smcp_author::from_module(&other).is_err());
        refused += usize::from(smcp_author::from_module(&module[..index]).is_err());
    }
    assert!(refused > module.len(), "{refused} of {}", module.len());
}
