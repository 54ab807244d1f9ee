//! For the `build.rs` of a policy: writes the JSON Schema of its settings type.
//!
//! `smcp_policy_sdk::settings_schema!` embeds the file that is written.
//!
//! ```no_run
//! // build.rs
//! # mod settings {
//! #     #[derive(schemars::JsonSchema)]
//! #     pub struct Settings {}
//! # }
//! # /*
//! #[path = "src/settings.rs"]
//! mod settings;
//! # */
//!
//! fn main() -> Result<(), smcp_policy_build::Error> {
//!     smcp_policy_build::settings_schema::<settings::Settings>()
//! }
//! ```
//!
//! The schema is made here, natively, so that the component carries its text and not the code that makes it.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads OUT_DIR and writes into it; that is its interface"
)]

use std::path::PathBuf;

use schemars::JsonSchema;

/// Why the schema could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller is no build script.
    #[error("`OUT_DIR` is not set; call this from a build script")]
    NoOutDir,
    /// The schema could not be spelt as JSON.
    #[error("the schema can't be written as JSON")]
    Json(#[source] serde_json::Error),
    /// The file could not be written.
    #[error("`{}` can't be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
}

/// Writes the schema of the settings type `T`, and tells Cargo to do so again when `src/settings.rs` changes.
pub fn settings_schema<T: JsonSchema>() -> Result<(), Error> {
    let schema = schema_text::<T>().map_err(Error::Json)?;
    let path = PathBuf::from(std::env::var_os("OUT_DIR").ok_or(Error::NoOutDir)?).join("settings.schema.json");
    std::fs::write(&path, schema).map_err(|cause| Error::Write { path, cause })?;
    rerun_when_settings_change();
    Ok(())
}

/// The schema (draft 2020-12) on one line: it is for machines, and every byte of it is in the component.
fn schema_text<T: JsonSchema>() -> Result<String, serde_json::Error> {
    serde_json::to_string(&schemars::schema_for!(T))
}

#[expect(clippy::print_stdout, reason = "Cargo reads a build script's instructions from standard output")]
fn rerun_when_settings_change() {
    println!("cargo::rerun-if-changed=src/settings.rs");
    println!("cargo::rerun-if-changed=build.rs");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings for a test.
    #[derive(JsonSchema)]
    #[schemars(deny_unknown_fields)]
    struct Sample {
        /// At most a hundred.
        #[schemars(range(min = 0, max = 100))]
        _limit: Option<u8>,
    }

    #[test]
    fn the_schema_is_one_line_of_draft_2020_12_and_says_what_the_type_says() {
        let text = schema_text::<Sample>().unwrap();
        assert!(!text.contains('\n'));
        let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(schema["properties"]["_limit"]["maximum"], 100);
        assert_eq!(schema["properties"]["_limit"]["description"], "At most a hundred.");
    }
}
