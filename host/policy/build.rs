//! Compiles the built-in policies ahead of time, and asks what they are.
//!
//! As docs/decisions/0002 measured, compiling at first use costs more than the whole rest of a launch, and a cache on
//! disk would be one more thing to trust.

use std::error::Error;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;
use wasmtime::Engine;
use wasmtime::Store;
use wasmtime::component::Component;
use wasmtime::component::Linker;
use wasmtime::component::Val;

#[path = "src/copied_data.rs"]
mod copied_data;
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
    let copying = copied_data::copied_data(&component)?.ok_or("it has too much data")?;
    std::fs::write(out.join("built_ins.aot"), engine.precompile_component(&copying)?)?;
    std::fs::write(out.join("built_ins.sha256"), Sha256::digest(&component))?;
    let component = Component::new(&here, &component)?;
    for name in BUILT_INS {
        let description = description(&here, &component, name).map_err(|error| format!("`{name}`: {error}"))?;
        std::fs::write(out.join(name).with_extension("in"), description)?;
    }
    std::fs::write(out.join("engine.sha256"), Sha256::digest(engine_key::identity(&engine)))?;
    println!("cargo::rerun-if-changed=src/copied_data.rs");
    println!("cargo::rerun-if-changed=src/engine_key.rs");
    println!("cargo::rerun-if-changed=src/tuning.rs");
    println!("cargo::rustc-env=SMCP_TARGET={target}");
    Ok(())
}

/// Asks one policy of the component for its description. Returns it as the expression that `src/builtin.rs` includes.
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
    let on_warn = match text("on-warn")? {
        "notify" => "Notify",
        "confirm" => "Confirm",
        other => return Err(format!("`on-warn` of its description is `{other}`").into()),
    };
    let (version, summary, schema) = (text("version")?, text("summary")?, text("settings-schema")?);
    if text("name")? != name {
        return Err(format!("it calls itself `{}`", text("name")?).into());
    }
    Ok(format!(
        "BuiltInDescription {{ version: {version:?}, summary: {summary:?}, settings_schema: {schema:?}, on_warn: \
         OnWarn::{on_warn} }}"
    ))
}
