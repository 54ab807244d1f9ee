//! Tests of the whole configuration: documents in, problems or rules out.

mod conformance;
mod discovery;
mod documents;
mod effect;
mod exceptions;
mod fake_files;
mod fold;
mod hostile;
mod layers;
mod limits;
mod meant;
mod schema;
mod signers;
mod trusted;

use std::path::Path;
use std::path::PathBuf;

use crate::Config;
use crate::ConfigError;
use crate::Places;
use crate::parse;

fn places() -> Places {
    Places {
        home: Some(PathBuf::from("/home/me")),
        working_directory: PathBuf::from("/work"),
        system_folder: PathBuf::from("/etc/mcp"),
    }
}

fn read(text: &str) -> Result<Config, ConfigError> {
    parse(text.as_bytes(), Path::new("/home/me/.mcp/config.yaml"), &places())
}

#[track_caller]
fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|error| panic!("{text}\n{error}"))
}

/// Returns the problems, without the name of the file.
#[track_caller]
fn bad(text: &str) -> Vec<String> {
    let Err(error) = read(text) else { panic!("accepted:\n{text}") };
    let lines = error.problems().iter().map(|problem| problem.to_string());
    lines.map(|line| line.strip_prefix("~/.mcp/config.yaml:").unwrap().to_owned()).collect()
}
