//! `smcp policy bench`: measure what one policy costs, and hold it to a base.

mod base;

use std::env::consts;
use std::path::Path;
use std::path::PathBuf;

use clap::Args;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::alone;
use crate::cli::policy::settings::SettingsFile;
use smcp_model::bench::Conditions;
use smcp_model::digest::Digest;
use smcp_model::encoding;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::limits::bench::TOLERANCE;
use smcp_model::limits::bench::TOLERANCE_CEILING;
use smcp_model::text::SafeText;
use smcp_model::verdict::Fault;
use smcp_pipeline as pipeline;
use smcp_pipeline::BenchError;
use smcp_report::bench;
use smcp_report::bench::BenchReport;
use smcp_report::bench::Comparison;
use smcp_report::json;

/// Measure what a policy costs: load, first call, further calls, memory, sizes.
///
/// Exits 0 when it was measured and nothing regressed; 1 when a figure is above that of --against by more than
/// --tolerance, or when the policy fails.
///
/// Nothing but the policy is measured, in the sandbox that every start uses (docs/policy-bench.md). No configuration is
/// read.
#[derive(Debug, Args)]
pub(crate) struct BenchCommand {
    /// The component
    #[arg(value_name = "FILE.wasm")]
    policy: PathBuf,
    /// The settings of the component, YAML or JSON; `-` reads standard input [default: {}]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// The facts document, a file or a pipe; `-` reads standard input [default: nothing is known]
    #[arg(long, value_name = "FILE")]
    facts: Option<PathBuf>,
    /// Keep the figures in this file, unless one has regressed
    #[arg(long, value_name = "BASE")]
    save: Option<PathBuf>,
    /// Compare with the figures in this file: times by their minima, memory and sizes
    #[arg(long, value_name = "BASE")]
    against: Option<PathBuf>,
    /// By how much a figure may be above that of --against: 0 to 1000
    #[arg(long, value_name = "PERCENT", default_value_t = TOLERANCE, requires = "against")]
    #[arg(value_parser = clap::value_parser!(u16).range(..=i64::from(TOLERANCE_CEILING)))]
    tolerance: u16,
}

impl BenchCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        alone::not_both(self.facts.as_deref(), self.settings.as_deref())?;
        let session = app.session_alone()?;
        let tested = alone::component(app, &self.policy)?;
        let settings = self.settings.as_deref().map(|path| SettingsFile::read(app, path)).transpose()?;
        let value = settings.as_ref().map_or_else(|| serde_json::json!({}), |file| file.value.clone());
        let facts = alone::facts(app, self.facts.as_deref(), limits::START_TIMEOUT_DEFAULT)?;
        let subject = alone::subject(app, &facts)?;
        let conditions = conditions(&value, &facts);
        // What can't be compared or kept is said before anybody waits.
        let base = self.against.as_deref().map(|path| base::read(app, path, &conditions)).transpose()?;
        self.save.as_deref().map_or(Ok(()), |path| base::check_place(app, path))?;
        let about = (&subject, app.context(false));
        let measured = pipeline::bench_alone(&session, &tested, value, about, conditions, &mut *app.progress())?;
        let measurement = measured.map_err(|error| not_measured(&self.policy, settings.as_ref(), &error))?;
        let comparison = match (&self.against, base) {
            (Some(path), Some(base)) => {
                base::same_policy(path, &base, &measurement)?;
                let changes = measurement.against(&base, self.tolerance);
                Some(Comparison { base: SafeText::new(&path.to_string_lossy()), tolerance: self.tolerance, changes })
            }
            (None, _) | (_, None) => None,
        };
        let regressed = comparison.as_ref().is_some_and(Comparison::regressed);
        let exit = if regressed { ExitKind::Usage } else { ExitKind::Success };
        if let Some(path) = self.save.as_deref().filter(|_| !regressed) {
            base::write(app, path, &measurement)?;
        }
        let report = BenchReport {
            file: SafeText::new(&self.policy.to_string_lossy()),
            measurement: &measurement,
            comparison: comparison.as_ref(),
            save: self.save.as_ref().map(|path| SafeText::new(&path.to_string_lossy())),
            exit_code: exit.code(),
        };
        if app.json() {
            json::write(&bench::document(&report), &mut app.out())?;
        } else {
            bench::human(&report, &mut app.out(), &app.output_style())?;
        }
        Ok(exit.into())
    }
}

/// Returns the conditions of a measurement that is made now.
fn conditions(settings: &serde_json::Value, facts: &[u8]) -> Conditions {
    // White space and the order of keys change nothing. The document was read before, so it is JSON.
    let value = serde_json::from_slice::<serde_json::Value>(encoding::without_mark(facts));
    let facts = value.map_or_else(|_| Digest::of(facts), |value| Digest::of(value.to_string().as_bytes()));
    Conditions {
        smcp: SafeText::new(env!("CARGO_PKG_VERSION")),
        engine: smcp_policy::engine_key(),
        architecture: SafeText::new(&format!("{}-{}", consts::ARCH, consts::OS)),
        settings: Digest::of(settings.to_string().as_bytes()),
        facts,
    }
}

fn not_measured(policy: &Path, settings: Option<&SettingsFile>, error: &BenchError) -> Failure {
    let policy = policy.display();
    match (error, settings) {
        (BenchError::Fault(fault), Some(file)) if !fault.settings.is_empty() => file.refused(&fault.settings),
        (BenchError::Fault(fault), _) => {
            let Fault { kind, message, remedy, .. } = fault;
            let remedy = remedy.as_ref().map_or_else(String::new, |remedy| format!("\n  → {remedy}"));
            let error = anyhow::anyhow!("{policy} failed, and has no figures ({}): {message}{remedy}", kind.as_str());
            Failure { code: "fault", ..Failure::usage(error) }
        }
        (BenchError::NotKept(why), _) => {
            let error = anyhow::anyhow!(
                "{policy} can't be measured: its compiled code can't be kept, so no start would find it: {why}\n  \
                 → give smcp a home and a cache that it can write to (HOME, --cache-dir)"
            );
            Failure { code: "not-kept", ..Failure::usage(error) }
        }
    }
}
