//! Compiles the built-in policies ahead of time, so that no launch waits.
//!
//! As docs/decisions/0002 measured, compiling at first use costs more than the whole rest of a launch, and a cache on
//! disk would be one more thing to trust.

use std::error::Error;
use std::path::PathBuf;

use sha2::Digest as _;
use sha2::Sha256;

#[path = "src/engine_key.rs"]
mod engine_key;
#[path = "src/tuning.rs"]
mod tuning;

const BUILT_INS: [&str; 3] = ["origin", "certification", "score"];

#[expect(clippy::disallowed_methods, reason = "a build script reads sources and writes what the crate includes")]
fn main() -> Result<(), Box<dyn Error>> {
    let target = std::env::var("TARGET")?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let dist = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../builtin-policies/dist");
    // Naming the target keeps the build machine's own CPU features out: the code runs on every CPU of this target.
    let engine = wasmtime::Engine::new(tuning::config().target(&target)?)?;
    for name in BUILT_INS {
        let source = dist.join(name).with_extension("wasm");
        println!("cargo::rerun-if-changed={}", source.display());
        let component = std::fs::read(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        std::fs::write(out.join(name).with_extension("aot"), engine.precompile_component(&component)?)?;
        std::fs::write(out.join(name).with_extension("sha256"), Sha256::digest(&component))?;
    }
    std::fs::write(out.join("engine.sha256"), Sha256::digest(engine_key::identity(&engine)))?;
    println!("cargo::rerun-if-changed=src/engine_key.rs");
    println!("cargo::rerun-if-changed=src/tuning.rs");
    println!("cargo::rustc-env=SMCP_TARGET={target}");
    Ok(())
}
