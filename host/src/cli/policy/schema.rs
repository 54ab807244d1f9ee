//! `smcp policy schema`: what case files, decisions and records may hold.

use std::io::Write as _;

use clap::Args;
use clap::ValueEnum;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use smcp_model::decision;
use smcp_model::record;
use smcp_policy_cases as cases;

/// Print the JSON Schema of a document about policies, for editors and for programs that read it.
#[derive(Debug, Args)]
pub(crate) struct PolicySchemaCommand {
    /// cases: a case file of `policy test`; decision: what --json prints; record: a line of the audit log
    #[arg(value_name = "DOCUMENT", default_value = "cases", hide_possible_values = true)]
    document: DescribedDocument,
}

/// A document that has a schema.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum DescribedDocument {
    /// A case file.
    Cases,
    /// A decision document.
    Decision,
    /// A record of the audit log.
    Record,
}

impl PolicySchemaCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &App) -> Result<Exit, Failure> {
        let schema = match self.document {
            DescribedDocument::Cases => cases::schema(),
            DescribedDocument::Decision => decision::schema::schema(),
            DescribedDocument::Record => record::schema::schema(),
        };
        writeln!(app.out(), "{schema:#}")?;
        Ok(Exit::SUCCESS)
    }
}
