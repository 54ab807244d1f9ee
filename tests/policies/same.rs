//! The same component, settings and request: the same verdict, byte for byte, wherever it is asked.
//!
//! In this process and in others, compiled here or in a child, newly or before.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use serde_json::json;
use tempfile::TempDir;

use crate::bed::ROOT;
use crate::bed::TestBed;
use crate::guest::Twin;
use smcp_code::ChildCompiler;
use smcp_code::CodePlaces;
use smcp_code::CompiledStore;
use smcp_model::ownership::Caller;
use smcp_model::policy::PolicySpec;
use smcp_model::request::Context;
use smcp_model::verdict::Evaluated;
use smcp_policy::Bound;
use smcp_policy::Component;
use smcp_policy::InProcess;
use smcp_policy::PolicyHost;
use smcp_policy::PolicySet;
use smcp_policy::request;

/// A policy whose message is made of whatever could differ: the bits of numbers that are none, and each byte that it was
/// told, in the place where it was put.
fn telling(of_its_heap: bool) -> Vec<u8> {
    let end = if of_its_heap { "(global.get $free)" } else { "(i32.const 0x10000)" };
    let digits: String = (0..8)
        .map(|digit| {
            let (at, shift) = (0x190 + digit, digit * 4);
            format!("(call $digit (i32.const {at}) (i32.shr_u (local.get $bits) (i32.const {shift})))")
        })
        .collect();
    let forms = format!(
        "(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
         (func $digit (param $at i32) (param $bits i32)
           (i32.store8 (local.get $at) (i32.add (i32.const 97) (i32.and (local.get $bits) (i32.const 15)))))
         (func $evaluate (param $arguments i32) (result i32)
           (local $bits i32) (local $at i32)
           (local.set $bits (i32.reinterpret_f32 (f32.div (f32.const 0) (f32.neg (f32.const 0)))))
           (local.set $bits (i32.xor (i32.rotl (local.get $bits) (i32.const 5))
             (i32.wrap_i64 (i64.shr_u (i64.reinterpret_f64 (f64.sqrt (f64.const -1))) (i64.const 32)))))
           (local.set $bits (i32.xor (i32.rotl (local.get $bits) (i32.const 5))
             (i32.reinterpret_f32 (f32.demote_f64 (f64.sub (f64.const inf) (f64.const inf))))))
           (local.set $at (i32.const 0x10000))
           (block $done (loop $bytes
             (br_if $done (i32.ge_u (local.get $at) {end}))
             (local.set $bits (i32.xor (i32.rotl (local.get $bits) (i32.const 1)) (i32.load8_u (local.get $at))))
             (local.set $at (i32.add (local.get $at) (i32.const 1)))
             (br $bytes)))
           {digits}
           (i32.const 0x60))"
    );
    Twin::honest().with(&forms).component()
}

#[expect(clippy::disallowed_methods, reason = "the test takes the place of `authority`")]
fn places(folder: &Path) -> CodePlaces {
    CodePlaces {
        cache: Some(folder.join("cache")),
        key: Some(folder.join("home")),
        caller: Caller::new(nix::unistd::geteuid().as_raw(), || None),
        open: |path| Dir::open_ambient_dir(path, ambient_authority()),
        make: |path| {
            fs::create_dir_all(path)?;
            Dir::open_ambient_dir(path, ambient_authority())
        },
        clock: SystemTime::now,
    }
}

fn child() -> ChildCompiler {
    ChildCompiler::new(|| Ok(env!("CARGO_BIN_EXE_smcp").into()), || None)
}

/// What every policy says to every request, as text, without how long it took.
fn verdicts(host: &PolicyHost) -> Vec<String> {
    let no_network = fs::read(format!("{ROOT}/examples/policies/dist/no_network.wasm")).unwrap();
    let score = fs::read(format!("{ROOT}/builtin-policies/dist/score.wasm")).unwrap();
    let policies = [
        ("telling", telling(true), json!({})),
        ("telling-settings", telling(true), json!({"b": [1, 2.5, null], "a": "ü"})),
        ("no-network", no_network, json!({"allow": ["a.example.com"]})),
        ("score", score.clone(), json!({"min_score": 80})),
        ("refusing", score, json!({"min_scroe": 80})),
    ];
    let bind = |(name, bytes, settings): (&str, Vec<u8>, serde_json::Value)| {
        let spec = PolicySpec::file(name.parse().unwrap(), format!("/policies/{name}.wasm"), settings);
        Bound::new(spec, Ok(Component::new(bytes))).unwrap()
    };
    let set = PolicySet::load(host, policies.map(bind));
    let context = Context { evaluated_at: 1_800_000_000, trust: false, interactive: false };
    let requests = ["{}", r#"{"score": 79, "origin": "verified"}"#, r#"{"org": "acme", "name": "tool", "score": 80}"#];
    let of =
        |it: &Evaluated| format!("{} {:?} {:?} {:?} {:?}", it.name(), it.on_warn, it.digest, it.version, it.outcome);
    let evaluated = requests.into_iter().flat_map(|document| {
        let request = request::from_document(document.as_bytes(), context).unwrap();
        set.evaluate(&request).iter().map(of).collect::<Vec<_>>()
    });
    evaluated.collect()
}

#[test]
fn it_is_the_same_whoever_compiles_and_whatever_was_kept() {
    let folder = TempDir::new().unwrap();
    let store = || CompiledStore::new(places(folder.path()));
    let here = verdicts(&PolicyHost::with_compiler(InProcess).unwrap());
    let telling: BTreeSet<_> = here.iter().filter(|verdict| verdict.starts_with("telling")).collect();
    assert_eq!(telling.len(), 6, "it tells settings and requests apart: {here:#?}");
    for host in [
        PolicyHost::with_compiler(InProcess),
        PolicyHost::with_compiler(child()),
        // Cold, then warm; then with what the other compiler kept.
        PolicyHost::with_store(child(), store()),
        PolicyHost::with_store(child(), store()),
        PolicyHost::with_store(InProcess, store()),
    ] {
        assert_eq!(verdicts(&host.unwrap()), here);
    }
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    assert_eq!(verdicts(&PolicyHost::with_store(child(), store()).unwrap()), here, "compiled again");
}

#[test]
fn it_is_the_same_in_every_process() {
    let bed = TestBed::new();
    bed.write("telling.wasm", telling(false));
    bed.configure("policy: {custom: [{name: telling, source: ~/telling.wasm}]}\n");
    bed.write("facts.json", r#"{"status": "published"}"#);
    let said = || {
        let ran = bed.run("policy eval --json --facts facts.json").exits(4);
        ran.document()["policies"][3]["findings"].to_string()
    };
    let first = said();
    assert!(first.contains("planted"), "{first}");
    for again in ["warm", "compiled again", "warm again"] {
        if again == "compiled again" {
            bed.run("cache rm --all").succeeds();
        }
        assert_eq!(said(), first, "{again}");
    }
}
