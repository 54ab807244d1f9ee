//! `smcp policy test`: run the cases of a policy in the sandbox.

mod project;

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;

use crate::cli::app::App;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::policy::alone;
use crate::cli::policy::test::project::SourceFile;
use crate::cli::policy::test::project::TestedPolicy;
use crate::cli::policy::write::refuse_input;
use crate::cli::policy::write::refuse_state;
use crate::cli::policy::write::write_whole;
use smcp_cases::PolicyRun;
use smcp_cases::Tested;
use smcp_model::exit::ExitKind;
use smcp_model::policy::BuiltIn;
use smcp_model::text::SafeText;
use smcp_pipeline as pipeline;
use smcp_policy_cases as format;
use smcp_policy_cases::CaseFile;
use smcp_policy_cases::FileRun;
use smcp_policy_cases::Limits;
use smcp_policy_cases::NotUpdated;
use smcp_report::cases;
use smcp_report::cases::CasesReport;
use smcp_report::cases::FileReport;
use smcp_report::json;

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
    /// The case files: a folder, of which all .yaml and .yml files are run, or one file [default: the folder `cases`
    /// beside the component]
    #[arg(long, value_name = "DIR|FILE")]
    cases: Option<PathBuf>,
    /// Test one of the policies inside smcp: origin, certification or score; needs --cases
    #[arg(long, value_name = "NAME", requires = "cases", hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(BuiltIn::ALL.map(BuiltIn::as_str)).map(built_in))]
    built_in: Option<BuiltIn>,
    /// Write what was found into the case files, as what failing cases expect; everything else in them stays
    #[arg(long)]
    update: bool,
    /// Write the results as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Returns the policy of a name that the grammar has checked.
fn built_in(name: String) -> BuiltIn {
    let [first, ..] = BuiltIn::ALL;
    BuiltIn::ALL.into_iter().find(|policy| policy.as_str() == name).unwrap_or(first)
}

/// A case file: its bytes, its cases, and what came of them.
struct Tried {
    source: SourceFile,
    cases: CaseFile,
    run: FileRun,
    /// What `--update` did, where a case fails.
    update: Option<Result<(), NotUpdated>>,
}

impl TestCommand {
    /// Carries the command out.
    pub(crate) fn execute(self, app: &mut App) -> Result<Exit, Failure> {
        if let Some(path) = &self.junit {
            self.refuse_inputs(app, path)?;
        }
        let ran = self.run(app);
        if let (Some(path), Err(failure)) = (&self.junit, &ran)
            && let Err(unwritten) = write_junit(app, path, &cases::failed(&failure.whole_message()))
        {
            app.warn_always(&unwritten.message());
        }
        ran
    }

    /// Refuses results in the place of what is tested. What can't be found is said later, in the results, too.
    fn refuse_inputs(&self, app: &App, path: &Path) -> Result<(), Failure> {
        refuse_state(app, path)?;
        let found = TestedPolicy::find(app, &self.policy, self.cases.as_deref(), self.built_in.is_some());
        let Ok(project) = found else { return Ok(()) };
        let inputs = project.files.iter().chain([&project.component]);
        refuse_input(app, path, &inputs.map(|file| app.path(file)).collect::<Result<Vec<_>, _>>()?)
    }

    fn run(&self, app: &App) -> Result<Exit, Failure> {
        let session = app.session_alone()?;
        let project = TestedPolicy::find(app, &self.policy, self.cases.as_deref(), self.built_in.is_some())?;
        let tested = self.tested(app, &project)?;
        let sources = project.read(app)?;
        let parsed = project::parse(&sources)?;
        let run = pipeline::run_cases(&session, &tested, &parsed, &mut *app.progress())?;
        let PolicyRun { description, files } = run.map_err(project::wrong_cases)?;
        let files = sources.into_iter().zip(parsed).zip(files);
        let mut tried: Vec<_> =
            files.map(|((source, (_, cases)), run)| Tried { source, cases, run, update: None }).collect();
        if self.update {
            for file in &mut tried {
                file.update(app)?;
            }
        }
        let all_hold = tried.iter().all(|file| file.run.held() == file.run.cases.len() || file.update == Some(Ok(())));
        let exit = if all_hold { ExitKind::Success } else { ExitKind::Usage };
        let report = CasesReport {
            source: project.source(self.built_in),
            described: description.map(|it| (SafeText::new(it.name.as_str()), SafeText::new(&it.version.to_string()))),
            digest: tested.component.digest(),
            files: tried.iter().map(|file| FileReport { run: &file.run, update: file.update.clone() }).collect(),
            whole: app.is_verbose(),
            exit_code: exit.code(),
        };
        if let Some(path) = &self.junit {
            write_junit(app, path, &cases::junit(&report))?;
        }
        if app.json() {
            json::write(&cases::document(&report), &mut app.out())?;
        } else {
            cases::human(&report, &mut app.out(), &app.output_style())?;
        }
        Ok(exit.into())
    }

    /// Reads the component.
    fn tested(&self, app: &App, project: &TestedPolicy) -> Result<Tested, Failure> {
        if let Some(policy) = self.built_in {
            return Ok(Tested::built_in(policy));
        }
        alone::component(app, &project.component)
    }
}

impl Tried {
    /// Writes what was found into the file, if a case of it fails.
    fn update(&mut self, app: &App) -> Result<(), Failure> {
        let numbered = self.run.cases.iter().enumerate();
        let failing: Vec<_> = numbered.filter(|(_, case)| !case.holds()).map(|(at, case)| (at, &case.found)).collect();
        if failing.is_empty() {
            return Ok(());
        }
        self.update = Some(match format::update(&self.source.bytes, &self.cases, &failing, &Limits::DEFAULT) {
            Ok(updated) => {
                let path = app.path(&self.source.path)?;
                let written = write_whole(&path, Some(&self.source.bytes), &updated);
                written.with_context(|| format!("while updating {}", self.source.path.display()))?;
                Ok(())
            }
            Err(refused) => Err(refused),
        });
        Ok(())
    }
}

fn write_junit(app: &App, path: &Path, document: &str) -> Result<(), Failure> {
    let written = write_whole(&app.path(path)?, None, document.as_bytes());
    written.with_context(|| format!("while writing {}", path.display())).map_err(Failure::usage)
}
