//! Case files, run natively: the same files that `smcp policy test` runs on the component.

use std::fmt;
use std::fmt::Write as _;
use std::io;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::Path;
use std::path::PathBuf;

use crate::Policy;
use crate::Request;
use crate::Subject;
use crate::testing;
use crate::testing::Broken;
use smcp_policy_cases::Case;
use smcp_policy_cases::CaseProblems;
use smcp_policy_cases::Expectation;
use smcp_policy_cases::Found;
use smcp_policy_cases::FoundFinding;
use smcp_policy_cases::FoundProblem;
use smcp_policy_cases::Limits;
use smcp_policy_cases::Position;

/// Runs every case of a file, or of all `.yaml` and `.yml` files in a folder. A relative path starts at the package's
/// folder, where Cargo runs tests.
///
/// # Panics When a case fails, a file can't be read or is wrong, or there is none. The message has every case that
/// failed, with its place and its differences.
#[track_caller]
#[expect(clippy::panic, reason = "a failing test panics")]
pub fn assert_cases<P: Policy>(path: impl AsRef<Path>) {
    let failed = Cases::read(path).map_err(|error| error.to_string()).and_then(|cases| cases.check::<P>());
    if let Err(message) = failed {
        panic!("{message}");
    }
}

/// The cases of one file or folder.
#[derive(Debug, Clone)]
pub struct Cases(Vec<(PathBuf, Case)>); // INVARIANT: at least one.

/// A case file that can't be used.
#[derive(Debug)]
pub enum CasesError {
    /// It can't be read.
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// It is not a case file.
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problems: CaseProblems,
    },
    /// The folder has no case file.
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl fmt::Display for CasesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, cause } => write!(f, "{}: {cause}", path.display()),
            Self::Wrong { path, problems } => {
                for problem in &problems.list {
                    writeln!(f, "{}:{problem}", path.display())?;
                }
                if problems.more > 0 { write!(f, "and {} more", problems.more) } else { Ok(()) }
            }
            Self::Empty { path } => write!(f, "{} has no file that ends with .yaml or .yml", path.display()),
        }
    }
}

impl std::error::Error for CasesError {}

impl Cases {
    /// Reads the cases of a file, or of all `.yaml` and `.yml` files in a folder, in the order of their names.
    ///
    /// # Errors
    /// See [`CasesError`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self, CasesError> {
        let path = path.as_ref();
        let unreadable = |cause| CasesError::Unreadable { path: path.to_owned(), cause };
        let mut cases = Vec::new();
        for file in files(path).map_err(unreadable)? {
            #[expect(clippy::disallowed_methods, reason = "an author's test reads the author's files")]
            let bytes = std::fs::read(&file).map_err(|cause| CasesError::Unreadable { path: file.clone(), cause })?;
            let read = smcp_policy_cases::read(&bytes, &Limits::DEFAULT);
            let read = read.map_err(|problems| CasesError::Wrong { path: file.clone(), problems })?;
            cases.extend(read.cases.into_iter().map(|case| (file.clone(), case)));
        }
        if cases.is_empty() { Err(CasesError::Empty { path: path.to_owned() }) } else { Ok(Self(cases)) }
    }

    /// The cases, each with its file.
    pub fn iter(&self) -> impl Iterator<Item = (&Path, &Case)> {
        self.0.iter().map(|(file, case)| (file.as_path(), case))
    }

    /// Runs every case.
    ///
    /// # Errors
    /// With every case that fails, its place and its differences.
    pub fn check<P: Policy>(&self) -> Result<(), String> {
        let failed: Vec<_> = self.iter().filter_map(|(file, case)| failure::<P>(file, case)).collect();
        if failed.is_empty() {
            return Ok(());
        }
        Err(format!("{} of {} cases failed\n{}", failed.len(), self.0.len(), failed.join("\n")))
    }
}

#[expect(clippy::disallowed_methods, reason = "an author's test reads the author's files")]
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        if !is_hidden(&file)
            && file.extension().is_some_and(|it| it.eq_ignore_ascii_case("yaml") || it.eq_ignore_ascii_case("yml"))
        {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file is hidden, like those that editors keep beside open files.
fn is_hidden(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// Returns the message of a case that fails; `None` when it holds.
fn failure<P: Policy>(file: &Path, case: &Case) -> Option<String> {
    let Position { line, column } = case.position;
    let mut message = format!("{}:{line}:{column}: {}", file.display(), case.name);
    if let Expectation::Fault(kind) = &case.expect
        && !NATIVE_FAULTS.contains(kind)
    {
        let _infallible =
            write!(message, "\n  the fault `{kind}` shows only in the sandbox: `smcp policy test` runs it");
        return Some(message);
    }
    let differences = smcp_policy_cases::compare(&case.expect, &found::<P>(case));
    for difference in &differences {
        let _infallible = write!(message, "\n  {}", difference.to_string().replace('\n', "\n  "));
    }
    (!differences.is_empty()).then_some(message)
}

/// The faults that can be seen without a sandbox.
const NATIVE_FAULTS: [&str; 3] = ["settings", "output", "trap"];

/// Runs the policy on a case. As in a component, a panic is the fault `trap`, and an answer that breaks the rules of
/// the interface the fault `output`. The request has no `extensions`, which only smcp can give.
pub fn found<P: Policy>(case: &Case) -> Found {
    let settings = case.settings.to_string();
    let verdict = catch_unwind(AssertUnwindSafe(|| testing::evaluate::<P>(&request(case), &settings)));
    match verdict {
        Ok(Ok(verdict)) => Found::Verdict {
            violations: verdict.violations.into_iter().map(finding).collect(),
            notices: verdict.notices.into_iter().map(finding).collect(),
        },
        Ok(Err(Broken::Settings(problems))) => {
            let problem =
                |problem: crate::SettingsProblem| FoundProblem { path: problem.path, message: problem.message };
            Found::Problems(problems.into_iter().map(problem).collect())
        }
        Ok(Err(Broken::Rule(rule))) => Found::Fault { kind: "output".to_owned(), message: rule },
        Err(_) => Found::Fault { kind: "trap".to_owned(), message: "it panicked".to_owned() },
    }
}

fn finding(finding: crate::Finding) -> FoundFinding {
    let crate::Finding { code, message, fact, remedy, extensions: _ } = finding;
    FoundFinding { code, message, fact, remedy }
}

/// Makes the request of a case. A package without a name gets the one that smcp would give it.
#[expect(clippy::expect_used, reason = "the facts of a case are checked, and the type is wider than they are")]
fn request(case: &Case) -> Request {
    let mut facts = case.facts.clone();
    for (fact, unnamed) in [("org", "local"), ("name", "facts"), ("version", "0.0.0")] {
        facts.entry(fact).or_insert_with(|| unnamed.into());
    }
    let subject: Subject = serde_json::from_value(facts.into()).expect("facts were checked when they were read");
    let mut request = testing::RequestBuilder::new().build();
    request.context.evaluated_at = case.context.at;
    request.context.trust = case.context.trust;
    request.context.interactive = case.context.interactive;
    Request { subject, ..request }
}
