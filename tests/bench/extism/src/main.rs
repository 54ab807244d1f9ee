//! A peer: the checks as a plug-in of Extism, in an instance for each decision or in one for all.
//!
//! `EXTISM_CACHE_CONFIG` names the configuration of its cache of compiled code.

use std::process::ExitCode;

use bench_peer::Codes;
use bench_peer::Engine;
use bench_peer::Result;
use bench_peer::execute;
use extism::CompiledPlugin;
use extism::Manifest;
use extism::Plugin;
use extism::PluginBuilder;
use extism::Wasm;

/// An instance for each decision, as smcp has it.
struct Fresh(CompiledPlugin);

impl Engine for Fresh {
    type Facts = String;

    fn read(&self, document: &str) -> Result<String> {
        Ok(document.to_owned())
    }

    fn decide(&mut self, facts: &String) -> Result<Codes> {
        call(&mut Plugin::new_from_compiled(&self.0)?, facts)
    }
}

/// One instance for all decisions.
struct Kept(Plugin);

impl Engine for Kept {
    type Facts = String;

    fn read(&self, document: &str) -> Result<String> {
        Ok(document.to_owned())
    }

    fn decide(&mut self, facts: &String) -> Result<Codes> {
        call(&mut self.0, facts)
    }
}

fn call(plugin: &mut Plugin, facts: &str) -> Result<Codes> {
    let codes: Vec<String> = serde_json::from_str(plugin.call("decide", facts)?)?;
    Ok(codes.into_iter().map(Into::into).collect())
}

/// The arguments are the file of the plug-in, `fresh` or `kept`, and what every peer takes.
fn main() -> Result<ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [plugin, variant, arguments @ ..] = &arguments[..] else { return Err("arguments are missing".into()) };
    let compiled = PluginBuilder::new(Manifest::new([Wasm::file(plugin)])).compile()?;
    let allowed = if variant == "kept" {
        execute(Kept(Plugin::new_from_compiled(&compiled)?), arguments)?
    } else {
        execute(Fresh(compiled), arguments)?
    };
    Ok(ExitCode::from(if allowed { 0 } else { 4 }))
}
