//! `smcp config`: begin, show or check the configuration.

use std::io;
use std::io::Write as _;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_config as config;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::listing;
use smcp_report::message;
use smcp_report::style::Span;

/// Begin, show or check the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a file with every key in it, commented out; never over another
    Init,
    /// Print what is in force, defaults included, and who chose it
    Show,
    /// Check the file, and every policy that it names
    Validate,
    /// Print the JSON Schema of the file, for editors
    Schema,
}

impl ConfigCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::Init => init(app),
            Self::Show => show(app),
            Self::Validate => validate(app),
            Self::Schema => schema(app),
        }
    }
}

fn init(app: &App) -> Result<Exit, Failure> {
    let file = app.location()?.file;
    let text = config::template::template();
    authority::create_private(&file, text.as_bytes()).map_err(|error| {
        let is_there = error.kind() == io::ErrorKind::AlreadyExists;
        let context = if is_there { "is there already, and was not changed" } else { "can't be written" };
        Failure::usage(anyhow!(error).context(format!("{} {context}", file.display())))
    })?;
    if app.json() {
        let document = json!({"schema": "smcp.config-init/1", "file": SafeText::new(&file.to_string_lossy())});
        json::write(&document, &mut app.out())?;
        return Ok(Exit::SUCCESS);
    }
    let rows = [
        ("now", Span::plain("take the `#` away before the keys that you want, and give them your values")),
        ("then", Span::plain("`smcp config validate` checks the file, `smcp doctor` looks whether a run could work")),
    ];
    message::done(&format!("{} is written", file.display()), &rows, &mut app.out(), &app.output_style())?;
    Ok(Exit::SUCCESS)
}

fn show(app: &App) -> Result<Exit, Failure> {
    let view = app.config(None)?.view();
    if app.json() {
        let document = serde_json::to_value(&view).map_err(anyhow::Error::from)?;
        json::write(&document, &mut app.out())?;
    } else {
        write!(app.out(), "{view}")?;
    }
    Ok(Exit::SUCCESS)
}

fn validate(app: &App) -> Result<Exit, Failure> {
    let session = app.session(None)?;
    let rows = pipeline::examine_policies(&session, &mut *app.progress())?;
    let works = rows.iter().all(|row| row.state.works());
    let exit = if works { Exit::SUCCESS } else { Exit::USAGE };
    let remarks = session.config().exception_remarks(app.system().now());
    let (remarks, more) = (remarks.shown.as_slice(), remarks.more);
    if app.json() {
        json::write(&listing::validation_document(&rows, remarks, more, exit.code()), &mut app.out())?;
    } else {
        listing::policies(&rows, &mut app.out(), &app.output_style())?;
        writeln!(app.out())?;
        listing::remarks(remarks, more, &mut app.out(), &app.output_style())?;
        listing::validation(&rows, &mut app.out(), &app.output_style())?;
    }
    Ok(exit)
}

fn schema(app: &App) -> Result<Exit, Failure> {
    let schema = config::schema::schema();
    let text = serde_json::to_string_pretty(&schema).map_err(anyhow::Error::from)?;
    writeln!(app.out(), "{text}")?;
    Ok(Exit::SUCCESS)
}
