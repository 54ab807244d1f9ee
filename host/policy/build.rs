//! Compiles the built-in policies ahead of time, and asks what they are.
//!
//! As docs/decisions/0002 measured, compiling at first use costs more than the whole rest of a launch, and a cache on
//! disk would be one more thing to trust.

use std::convert::Infallible;
use std::error::Error;
use std::path::PathBuf;

use serde_json::json;
use sha2::Digest as _;
use sha2::Sha256;
use wasm_encoder::DataSection;
use wasm_encoder::reencode;
use wasm_encoder::reencode::Reencode;
use wasm_encoder::reencode::ReencodeComponent;
use wasmparser::Data;
use wasmparser::DataKind;
use wasmparser::Parser;
use wasmtime::Engine;
use wasmtime::Store;
use wasmtime::component::Component;
use wasmtime::component::Linker;
use wasmtime::component::Val;

#[path = "src/engine_key.rs"]
mod engine_key;
#[path = "src/tuning.rs"]
mod tuning;

const EVALUATOR: &str = "smcp:policy/evaluator@0.1.0";
const SELECTION: &str = "smcp:built-ins/selection@0.1.0";
const BUILT_INS: [&str; 3] = ["origin", "certification", "score"];

#[expect(clippy::disallowed_methods, reason = "a build script reads sources and writes what the crate includes")]
fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::var("TARGET")?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let dist = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../builtin-policies/dist");
    // Naming the target keeps the build machine's own CPU features out: the code runs on every CPU of this target.
    let engine = Engine::new(tuning::config().target(&target)?)?;
    // The build machine may have another processor than the target; there the components are asked.
    let here = Engine::new(&tuning::config())?;
    let source = dist.join("built_ins.wasm");
    println!("cargo::rerun-if-changed={}", source.display());
    let component = std::fs::read(&source).map_err(|error| format!("{}: {error}", source.display()))?;
    std::fs::write(out.join("built_ins.aot"), engine.precompile_component(&copying_data(&component)?)?)?;
    std::fs::write(out.join("built_ins.sha256"), Sha256::digest(&component))?;
    let component = Component::new(&here, &component)?;
    for name in BUILT_INS {
        let description = description(&here, &component, name).map_err(|error| format!("`{name}`: {error}"))?;
        std::fs::write(out.join(name).with_extension("json"), description)?;
    }
    std::fs::write(out.join("engine.sha256"), Sha256::digest(engine_key::identity(&engine)))?;
    println!("cargo::rerun-if-changed=src/engine_key.rs");
    println!("cargo::rerun-if-changed=src/tuning.rs");
    println!("cargo::rustc-env=SMCP_TARGET={target}");
    Ok(())
}

/// Returns a component that has its data copied into each memory. The runtime maps data instead, from a file in memory that
/// it makes for each module: dearer than a copy of one page, in a process that decides once. It can't where the place of
/// the data is a sum.
fn copying_data(component: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut copied = wasm_encoder::Component::new();
    CopyingData.parse_component(&mut copied, Parser::new(0), component)?;
    Ok(copied.finish())
}

struct CopyingData;

impl Reencode for CopyingData {
    type Error = Infallible;

    fn parse_data(&mut self, section: &mut DataSection, data: Data<'_>) -> Result<(), reencode::Error<Infallible>> {
        match data.kind {
            DataKind::Passive => reencode::utils::parse_data(self, section, data),
            DataKind::Active { memory_index, offset_expr } => {
                let place = self.const_expr(offset_expr)?.with_i32_const(0).with_i32_add();
                section.active(self.memory_index(memory_index)?, &place, data.data.iter().copied());
                Ok(())
            }
        }
    }
}

impl ReencodeComponent for CopyingData {}

/// Asks one policy of the component for its description. Returns it in the form in which answers are kept (`src/kept.rs`).
fn description(engine: &Engine, component: &Component, name: &str) -> Result<String, Box<dyn Error>> {
    let mut linker = Linker::new(engine);
    let selected = name.to_owned();
    linker.instance(SELECTION)?.func_new("selected", move |_, _, _, results| {
        results.iter_mut().for_each(|result| *result = Val::Enum(selected.clone()));
        Ok(())
    })?;
    linker.define_unknown_imports_as_traps(component)?;
    let mut store = Store::new(engine, ());
    // Nobody advances the epoch here.
    store.set_epoch_deadline(1);
    let instance = linker.instantiate(&mut store, component)?;
    let evaluator = instance.get_export_index(&mut store, None, EVALUATOR).ok_or("it exports no evaluator")?;
    let describe = instance.get_export_index(&mut store, Some(&evaluator), "describe").ok_or("it has no `describe`")?;
    let describe = instance.get_func(&mut store, describe).ok_or("`describe` is no function")?;
    let mut answer = [Val::Bool(false)];
    describe.call(&mut store, &[], &mut answer)?;
    let [Val::Record(fields)] = &answer else { return Err("`describe` returns no record".into()) };
    let text = |name: &str| match fields.iter().find(|(field, _)| field == name) {
        Some((_, Val::String(text) | Val::Enum(text))) => Ok(text.as_str()),
        found => Err(format!("`{name}` of its description is {found:?}")),
    };
    let described = json!({
        "name": text("name")?,
        "version": text("version")?,
        "summary": text("summary")?,
        "settings_schema": text("settings-schema")?,
        "on_warn": text("on-warn")?,
    });
    Ok(described.to_string())
}
