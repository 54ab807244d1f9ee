//! The plug-in: the checks in Rust, facts as JSON in, codes as JSON out.

#![expect(missing_docs, reason = "the macro drops the comment of the function that it exports")]

use bench_rules::Facts;
use bench_rules::violations;
use extism_pdk::FnResult;
use extism_pdk::plugin_fn;

/// Decides on one facts document.
#[plugin_fn]
pub fn decide(document: String) -> FnResult<String> {
    let facts: Facts = serde_json::from_str(&document)?;
    Ok(serde_json::to_string(&violations(&facts))?)
}
