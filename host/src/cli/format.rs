//! The forms in which a decision is answered: `--format`.

use std::io;
use std::io::Write;
use std::str::FromStr;

use clap::Args;
use clap::ValueEnum;

use crate::cli::failure::Failure;
use smcp_report::Report;
use smcp_report::human;
use smcp_report::json;
use smcp_report::junit;
use smcp_report::sarif;
use smcp_report::sarif::SarifOrigin;
use smcp_report::style::Style;

/// The form of an answer on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum AnswerFormat {
    /// Text for people.
    Human,
    /// The decision document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
}

/// `--format`, of the commands that only decide.
#[derive(Debug, Args)]
pub(super) struct FormatOption {
    /// The form of the answer: human, json (as --json), sarif (2.1.0), or junit
    #[arg(long, value_name = "FORMAT", hide_possible_values = true)]
    pub(super) format: Option<AnswerFormat>,
}

impl FromStr for AnswerFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        ValueEnum::from_str(text, false)
    }
}

impl AnswerFormat {
    /// Writes a decision.
    pub(super) fn decision(
        self,
        report: &Report<'_>,
        origin: SarifOrigin<'_>,
        out: &mut dyn Write,
        style: &Style,
    ) -> io::Result<()> {
        match self {
            Self::Human => human::decision(report, out, style),
            Self::Json => json::write(&report.document(), out),
            Self::Sarif => json::write(&sarif::decision(&report.document(), origin), out),
            Self::Junit => out.write_all(junit::decision(&report.document()).as_bytes()),
        }
    }

    /// Writes why a command did not do its work, where the form has a document for that. Returns whether it has.
    pub(super) fn failure(self, failure: &Failure, out: &mut dyn Write) -> io::Result<bool> {
        let (code, exit_code) = (failure.code, failure.exit.code());
        match self {
            Self::Human => return Ok(false),
            Self::Json => {
                json::write(&json::error(code, &failure.message(), exit_code, failure.problems.clone()), out)?;
            }
            Self::Sarif => json::write(&sarif::failed(code, &failure.whole_message(), exit_code), out)?,
            Self::Junit => out.write_all(junit::failed(code, &failure.whole_message()).as_bytes())?,
        }
        Ok(true)
    }
}
