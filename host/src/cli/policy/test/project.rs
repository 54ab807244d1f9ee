//! Finds a policy's component and its case files, and reads them.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_authority as authority;
use smcp_cases::WrongCase;
use smcp_model::limits;
use smcp_model::limits::cases;
use smcp_model::policy::BuiltIn;
use smcp_model::text::SafeText;
use smcp_policy_cases as format;
use smcp_policy_cases::CaseFile;
use smcp_policy_cases::CaseProblem;
use smcp_policy_cases::CaseProblems;
use smcp_policy_cases::Limits;
use smcp_policy_cases::Position;

/// The folder of case files beside a component.
const CASES: &str = "cases";

/// A component and its case files, as the command line names them.
#[derive(Debug)]
pub(super) struct TestedPolicy {
    /// The component's file; of no meaning for a built-in policy.
    pub(super) component: PathBuf,
    /// The case files.
    pub(super) files: Vec<PathBuf>,
}

/// A case file.
#[derive(Debug)]
pub(super) struct SourceFile {
    /// Its path, as the command line led to it.
    pub(super) path: PathBuf,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

impl SourceFile {
    /// The file as messages show it.
    pub(super) fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

impl TestedPolicy {
    /// Finds the component at `policy`, a file or a folder with one, and the case files at `named`, or else beside the
    /// component.
    pub(super) fn find(app: &App, policy: &Path, named: Option<&Path>, is_built_in: bool) -> Result<Self, Failure> {
        let (folder, component) = match entries(app, policy, cases::PROJECT_ENTRIES)? {
            _ if is_built_in => (PathBuf::new(), PathBuf::new()),
            Some(names) => {
                let folder = if policy == Path::new(".") { Path::new("") } else { policy };
                (folder.to_owned(), folder.join(only_component(policy, names)?))
            }
            None => (policy.parent().unwrap_or(Path::new("")).to_owned(), policy.to_owned()),
        };
        let cases = named.map_or_else(|| folder.join(CASES), Path::to_path_buf);
        let files = case_files(app, &cases, named.is_none())?;
        Ok(Self { component, files })
    }

    /// The policy as messages show it.
    pub(super) fn source(&self, built_in: Option<BuiltIn>) -> SafeText {
        match built_in {
            Some(_) => SafeText::new("built-in"),
            None => SafeText::new(&self.component.to_string_lossy()),
        }
    }

    /// Reads the case files.
    pub(super) fn read(&self, app: &App) -> Result<Vec<SourceFile>, Failure> {
        let (mut left, mut files) = (cases::TEXT, Vec::new());
        for path in &self.files {
            let limit = Limits::DEFAULT.file.min(left);
            let bytes = app.read_document(path, limit, limits::START_TIMEOUT_DEFAULT)?;
            left = left.saturating_sub(bytes.len());
            files.push(SourceFile { path: path.clone(), bytes });
        }
        Ok(files)
    }
}

/// Returns the names in a folder, sorted; `None` when it is not a folder.
fn entries(app: &App, path: &Path, most: usize) -> Result<Option<Vec<PathBuf>>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::usage(anyhow::anyhow!("{}: {error}", path.display()));
    let dir = match authority::open_dir(&app.path(path)?) {
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        opened => opened.map_err(|error| failed(&error))?,
    };
    let mut names = Vec::new();
    for entry in dir.entries().map_err(|error| failed(&error))? {
        if names.len() >= most {
            return Err(failed(&format!("it has more than {most} entries, the most that are looked at")));
        }
        names.push(PathBuf::from(entry.map_err(|error| failed(&error))?.file_name()));
    }
    names.sort();
    Ok(Some(names))
}

/// Whether a name is that of a visible file with one of these extensions. Editors keep hidden files beside those that
/// are open.
fn is_visible(name: &Path, extensions: &[&str]) -> bool {
    let hidden = name.as_os_str().as_encoded_bytes().starts_with(b".");
    let is_known = |extension: &OsStr| extensions.iter().any(|known| extension.eq_ignore_ascii_case(known));
    !hidden && name.extension().is_some_and(is_known)
}

/// Returns the one component in a folder.
fn only_component(folder: &Path, names: Vec<PathBuf>) -> Result<PathBuf, Failure> {
    let mut components: Vec<_> = names.into_iter().filter(|name| is_visible(name, &["wasm"])).collect();
    let folder = folder.display();
    match (components.pop(), components.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Failure::usage(anyhow::anyhow!(
            "{folder} has no component: a `.wasm` file at its top\n  build the policy, or name its file"
        ))),
        (Some(last), others) => {
            let shown: Vec<_> = others.iter().chain([&last]).take(NAMED).map(|it| it.display().to_string()).collect();
            let more = if others.len() >= NAMED { ", …" } else { "" };
            Err(Failure::usage(anyhow::anyhow!(
                "{folder} has {} components: {}{more}\n  name the one to test",
                others.len().saturating_add(1),
                shown.join(", ")
            )))
        }
    }
}

/// Components that a message names, at most.
const NAMED: usize = 5;

/// Returns the case files in a folder, or the one file that is named.
fn case_files(app: &App, path: &Path, by_default: bool) -> Result<Vec<PathBuf>, Failure> {
    let how = "a case file ends with .yaml or .yml; `--cases` names another folder, or one file";
    if by_default && !authority::exists(&app.path(path)?).unwrap_or(false) {
        return Err(Failure::usage(anyhow::anyhow!("there are no cases: {} does not exist\n  {how}", path.display())));
    }
    let Some(names) = entries(app, path, cases::ENTRIES)? else { return Ok(vec![path.to_owned()]) };
    let files: Vec<_> =
        names.iter().filter(|name| is_visible(name, &["yaml", "yml"])).map(|name| path.join(name)).collect();
    // A file that looks like cases is not ignored in silence.
    for name in names.iter().filter(|name| !is_visible(name, &["yaml", "yml"])) {
        let inside = path.join(name);
        let is_folder = authority::open_dir(&app.path(&inside)?).is_ok();
        if is_folder || is_visible(name, &["json"]) {
            let what = if is_folder { "files in it are not run" } else { "it is not run" };
            app.notice(&format!(
                "{}: {what}: a case file ends with .yaml or .yml, and stands in the folder itself",
                inside.display()
            ));
        }
    }
    if files.is_empty() || files.len() > cases::FILES {
        let (folder, found, most) = (path.display(), files.len(), cases::FILES);
        return Err(Failure::usage(match found {
            0 => anyhow::anyhow!("there are no cases: {folder} has no case file\n  {how}"),
            found => anyhow::anyhow!("{folder} has {found} case files, and at most {most} are run together"),
        }));
    }
    Ok(files)
}

/// Reads the cases of all files.
pub(super) fn parse(files: &[SourceFile]) -> Result<Vec<(String, CaseFile)>, Failure> {
    let (mut parsed, mut wrong, mut facts) = (Vec::new(), Vec::new(), cases::FACTS);
    for file in files {
        let bounds = Limits { facts: facts.min(Limits::DEFAULT.facts), ..Limits::DEFAULT };
        match format::read(&file.bytes, &bounds) {
            Ok(cases) => {
                facts = facts.saturating_sub(cases.facts_size);
                parsed.push((file.name(), cases));
            }
            Err(problems) => wrong.push((file.name(), problems)),
        }
    }
    if wrong.is_empty() { Ok(parsed) } else { Err(wrong_files(wrong)) }
}

/// The failure of case files that are wrong: every problem with its place.
fn wrong_files(files: Vec<(String, CaseProblems)>) -> Failure {
    let (mut problems, mut more) = (Vec::new(), 0_usize);
    for (file, CaseProblems { list, more: untold }) in files {
        more = more.saturating_add(untold);
        problems.extend(list.into_iter().map(|problem| (file.clone(), problem)));
    }
    failure(problems, more)
}

/// The failure of cases that can't be run.
pub(super) fn wrong_cases(wrong: Vec<WrongCase>) -> Failure {
    let problem = |WrongCase { file, position, message }: WrongCase| {
        let message = message.to_string();
        (file, CaseProblem { position: Some(position), message, allowed: None, suggestion: None })
    };
    failure(wrong.into_iter().map(problem).collect(), 0)
}

fn failure(mut problems: Vec<(String, CaseProblem)>, more: usize) -> Failure {
    let more = more.saturating_add(problems.len().saturating_sub(Limits::DEFAULT.problems));
    problems.truncate(Limits::DEFAULT.problems);
    let count = problems.len().saturating_add(more);
    let mut details: Vec<_> = problems.iter().map(|(file, problem)| line(file, problem)).collect();
    let documents = problems.iter().map(|(file, problem)| document(file, problem)).collect();
    let error = if count == 1 {
        anyhow::anyhow!(details.drain(..).collect::<String>())
    } else {
        details.extend((more > 0).then(|| format!("and {more} more")));
        anyhow::anyhow!("the cases have {count} problems, and none is run")
    };
    Failure { code: "cases", problems: documents, details, ..Failure::usage(error) }
}

/// A problem on one line: `FILE:LINE:COLUMN: what is wrong`.
fn line(file: &str, problem: &CaseProblem) -> String {
    let place = problem.position.map_or_else(String::new, |Position { line, column }| format!(":{line}:{column}"));
    format!("{file}{place}: {}", problem.text())
}

/// The same for machines.
fn document(file: &str, problem: &CaseProblem) -> serde_json::Value {
    let CaseProblem { position, message, allowed, suggestion } = problem;
    let safe = |text: &String| SafeText::new(text);
    serde_json::json!({
        "file": SafeText::new(file),
        "line": position.map(|at| at.line),
        "column": position.map(|at| at.column),
        "message": safe(message),
        "allowed": allowed.as_ref().map(safe),
        "suggestion": suggestion.as_ref().map(safe),
    })
}
