//! `smcp config`: begin, show or check the configuration.

use std::io;
use std::io::Write as _;

use anyhow::anyhow;
use clap::Subcommand;
use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_config as config;
use smcp_model::name::PolicyName;
use smcp_model::text::SafeText;
use smcp_model::visible;
use smcp_pipeline as pipeline;
use smcp_report::json;
use smcp_report::listing;
use smcp_report::message;
use smcp_report::style::Span;

/// Begin, show or check the configuration.
#[derive(Debug, Clone, Subcommand)]
pub(super) enum ConfigCommand {
    /// Write a file with every key in it, commented out; never over another
    Init,
    /// Print what is in force, defaults included, and who chose it
    Show,
    /// Check the file, and every policy that it names
    Validate,
    /// Print the JSON Schema of the file, for editors, with what the configured policies say of their settings
    Schema {
        /// Leave out what the policies say: the same on every machine
        #[arg(long)]
        no_policies: bool,
        /// Print that of a file in `policies.d` in place of it: NAME.yaml, with the settings of the policy NAME
        #[arg(long, value_name = "NAME")]
        entry: Option<PolicyName>,
    },
}

impl ConfigCommand {
    /// Carries the command out.
    pub(super) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        match self {
            Self::Init => init(app),
            Self::Show => show(app),
            Self::Validate => validate(app),
            Self::Schema { no_policies, entry } => schema(app, no_policies, entry.as_ref()),
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
    pipeline::check_statement_signers(&session)?;
    let rows = pipeline::examine_policies(&session, &mut *app.progress())?;
    let works = rows.iter().all(|row| row.state.works());
    let exit = if works { Exit::SUCCESS } else { Exit::USAGE };
    let remarks = session.config().exception_remarks(app.system().now());
    let (remarks, more) = (remarks.shown.as_slice(), remarks.more);
    let sets = pipeline::sets::in_force(session.config(), app.system().now());
    if app.json() {
        let document = listing::validation_document(&rows, remarks, more, exit.code());
        json::write(&listing::with_sets(document, &sets), &mut app.out())?;
    } else {
        listing::policies(&rows, &mut app.out(), &app.output_style())?;
        listing::sets(&sets, &mut app.out(), &app.output_style())?;
        writeln!(app.out())?;
        listing::remarks(remarks, more, &mut app.out(), &app.output_style())?;
        listing::validation(&rows, &mut app.out(), &app.output_style())?;
    }
    Ok(exit)
}

/// An editor needs the schema most where the configuration is wrong, so nothing that is wrong fails the command.
fn schema(app: &App, no_policies: bool, entry: Option<&PolicyName>) -> Result<Exit, Failure> {
    let policies = if no_policies { Vec::new() } else { described(app) };
    let schema = match entry {
        None => config::schema::schema_with(policies),
        Some(name) => {
            let settings = policies.into_iter().find(|(described, _)| described == name).map(|(_, settings)| settings);
            config::schema::entry(name, settings)
        }
    };
    let text = visible::pretty(&schema).map_err(anyhow::Error::from)?;
    write!(app.out(), "{text}")?;
    Ok(Exit::SUCCESS)
}

/// Returns the settings schema of each policy that has one; says which have none.
fn described(app: &App) -> Vec<(PolicyName, Value)> {
    let session = match app.session(None) {
        Ok(session) => session,
        Err(failure) => {
            let why = failure.message();
            app.notice(&format!("nothing is known of the settings of policies, because of the configuration: {why}"));
            return Vec::new();
        }
    };
    let described = pipeline::describe_settings(&session, &mut *app.progress());
    let usable = |(name, schema): (PolicyName, Result<Value, String>)| {
        let schema =
            schema.and_then(|schema| config::schema::settings(&name, &schema).map_err(|unusable| unusable.to_string()));
        let schema = schema.unwrap_or_else(|why| {
            app.notice(&format!("the settings of `{name}` may be anything for an editor: {why}"));
            Value::Bool(true)
        });
        (name, schema)
    };
    described.into_iter().map(usable).collect()
}
