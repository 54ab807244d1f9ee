//! `smcp policy test`: run the cases of a policy in the sandbox.

mod project;

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::test::project::Project;
use smcp_cases::PolicyRun;
use smcp_cases::Tested;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::policy::BuiltIn;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_policy::Component;
use smcp_policy_cases::FileRun;
use smcp_report::cases;
use smcp_report::cases::CasesReport;

/// Run the cases of a policy in the sandbox that every start uses.
///
/// Exits 0 when all cases hold; 1 when one fails, when a case file is wrong, or when there is no case.
///
/// Cases are YAML: facts, settings, and what is expected (docs/policy-cases.md). No configuration is read.
#[derive(Debug, Args)]
pub(crate) struct TestCommand {
    /// The component, or a folder with one `.wasm` file at its top
    #[arg(value_name = "FILE.wasm|DIR", default_value = ".", conflicts_with = "built_in")]
    policy: PathBuf,
    /// The case files: a folder, all of whose .yaml and .yml files are run, or one file [default: the folder `cases`
    /// beside the component]
    #[arg(long, value_name = "DIR|FILE")]
    cases: Option<PathBuf>,
    /// Test one of the policies inside smcp; needs --cases
    #[arg(long, value_name = "NAME", requires = "cases")]
    #[arg(value_parser = PossibleValuesParser::new(BuiltIn::ALL.map(BuiltIn::as_str)).map(built_in))]
    built_in: Option<BuiltIn>,
}

/// Returns the policy of a name that the grammar has checked.
fn built_in(name: String) -> BuiltIn {
    let [first, ..] = BuiltIn::ALL;
    BuiltIn::ALL.into_iter().find(|policy| policy.as_str() == name).unwrap_or(first)
}

impl TestCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        let session = app.session_alone()?;
        let project = self.project(app)?;
        let files = project.read(app)?;
        let tested = match (self.built_in, &project.component) {
            (Some(policy), _) => Tested::built_in(policy),
            (None, component) => {
                let limit = PolicyLimits::DEFAULT.component_size;
                let bytes = app.read_document(component, limit, limits::START_TIMEOUT_DEFAULT)?;
                Tested::file(&app.path(component)?, Component::new(bytes))
            }
        };
        let parsed = project::parse(&files)?;
        let run = pipeline::run_cases(&session, &tested, &parsed, &mut *app.progress())?;
        let PolicyRun { description, files: runs } = run.map_err(project::wrong_cases)?;
        let report = CasesReport {
            source: project.source(self.built_in),
            described: description.map(|it| (SafeText::new(it.name.as_str()), SafeText::new(&it.version.to_string()))),
            digest: tested.component.digest(),
            files: &runs,
            whole: app.is_verbose(),
        };
        cases::human(&report, &mut app.out(), &app.output_style())?;
        let all_hold = runs.iter().all(|file: &FileRun| file.held() == file.cases.len());
        Ok(if all_hold { Exit::SUCCESS } else { Exit::USAGE })
    }

    /// Finds the component and its case files.
    fn project(&self, app: &App) -> Result<Project, Failure> {
        Project::find(app, &self.policy, self.cases.as_deref(), self.built_in.is_some())
    }
}
