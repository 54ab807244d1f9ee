//! The settings of one component, from a file of their own.

use std::path::Path;

use serde_json::Value;
use serde_json::json;

use crate::cli::app::App;
use crate::cli::failure::Failure;
use smcp_model::encoding;
use smcp_model::limits;
use smcp_model::limits::cases::SETTINGS_FILE;
use smcp_model::text::SafeText;
use smcp_model::unambiguous;
use smcp_model::verdict::SettingsProblem;
use smcp_yaml::Bounds;
use smcp_yaml::Half;
use smcp_yaml::NotJson;
use smcp_yaml::NotJsonKind;
use smcp_yaml::Position;
use smcp_yaml::YamlNode;

/// A file that is the settings.
#[derive(Debug)]
pub(super) struct SettingsFile {
    name: String,
    text: String,
    /// The tree of the text; `None` for JSON that is no YAML, whose places are not known.
    tree: Option<YamlNode>,
    /// The settings.
    pub(super) value: Value,
}

/// One problem of the file.
struct SettingsFileProblem {
    position: Option<Position>,
    /// A JSON pointer, for problems that the component has found.
    path: Option<SafeText>,
    message: String,
}

const BOUNDS: Bounds =
    Bounds { document: "a file of settings", expanded: limits::CONFIG_EXPANDED, brackets: limits::CONFIG_BRACKETS };

impl SettingsFile {
    /// Reads a file, or a pipe.
    pub(super) fn read(app: &App, path: &Path) -> Result<Self, Failure> {
        let bytes = app.read_document(path, SETTINGS_FILE, limits::START_TIMEOUT_DEFAULT)?;
        let name = path.to_string_lossy().into_owned();
        let whole = |position, message: &str| {
            failure(&name, vec![SettingsFileProblem { position, path: None, message: message.to_owned() }])
        };
        let bytes = encoding::without_mark(&bytes);
        let text = str::from_utf8(bytes).map_err(|error| {
            let valid =
                bytes.get(..error.valid_up_to()).and_then(|valid| str::from_utf8(valid).ok()).unwrap_or_default();
            whole(Some(smcp_yaml::position_of(valid, valid.len())), "this is not UTF-8 text")
        })?;
        let tree = smcp_yaml::parse(text, &BOUNDS);
        // Some JSON is no YAML: characters in two escapes.
        let as_json = || unambiguous::check(bytes).and_then(|()| serde_json::from_slice(bytes)).ok();
        let (tree, value) = match tree {
            Ok(tree) => {
                let value = smcp_yaml::to_json(&tree);
                let value =
                    value.map_err(|wrong| failure(&name, wrong.iter().map(|it| no_json(text, it)).collect()))?;
                (Some(tree), value)
            }
            Err(wrong) => match as_json() {
                Some(value) => (None, value),
                None => {
                    let allowed = wrong.allowed.map_or_else(String::new, |allowed| format!(" (allowed: {allowed})"));
                    return Err(whole(wrong.position, &format!("{}{allowed}", wrong.message)));
                }
            },
        };
        if value.is_null() {
            return Err(whole(None, "the file has no value; `{}` are settings in which nothing is set"));
        }
        let size = value.to_string().len();
        if size > limits::SETTINGS {
            let most = limits::SETTINGS;
            return Err(whole(None, &format!("the settings have {size} bytes as JSON (allowed: at most {most})")));
        }
        Ok(Self { name, text: text.to_owned(), tree, value })
    }

    /// Returns the failure of settings that the component refuses.
    pub(super) fn refused(&self, problems: &[SettingsProblem]) -> Failure {
        let placed = |problem: &SettingsProblem| {
            let SettingsProblem { path, message } = problem;
            let steps = self.tree.as_ref().map(|tree| smcp_yaml::follow(tree, path.as_str()));
            let steps: Option<Vec<usize>> = steps.map(|steps| steps.into_iter().map(|(index, _)| index).collect());
            let position = steps.and_then(|steps| smcp_yaml::locate(&self.text, &steps, Half::Value));
            let shown = if path.as_str().is_empty() { String::new() } else { format!("`{path}`: ") };
            SettingsFileProblem { position, path: Some(path.clone()), message: format!("{shown}{message}") }
        };
        // Each place takes a walk through the text.
        let affordable = limits::CONFIG_REREAD.checked_div(self.text.len()).unwrap_or(usize::MAX);
        let most = affordable.clamp(1, limits::CONFIG_PROBLEMS);
        failure(&self.name, problems.iter().take(most).map(placed).collect())
    }
}

fn no_json(text: &str, wrong: &NotJson<'_>) -> SettingsFileProblem {
    let message = match wrong.kind {
        NotJsonKind::Value => "JSON can't express this value, and a policy gets its settings as JSON",
        NotJsonKind::Key => "a key has to be a text",
        NotJsonKind::MergeKey => "merge keys are not supported; write the keys out",
        NotJsonKind::Duplicate => "this key is given a second time",
    };
    let position = smcp_yaml::locate(text, &wrong.steps, wrong.half);
    SettingsFileProblem { position, path: None, message: message.to_owned() }
}

fn failure(file: &str, problems: Vec<SettingsFileProblem>) -> Failure {
    let line = |problem: &SettingsFileProblem| {
        let place = problem.position.map_or_else(String::new, |Position { line, column }| format!(":{line}:{column}"));
        format!("{file}{place}: {}", problem.message)
    };
    let documents = problems.iter().map(|problem| {
        json!({
            "file": SafeText::new(file),
            "line": problem.position.map(|at| at.line),
            "column": problem.position.map(|at| at.column),
            "path": problem.path,
            "message": SafeText::new(&problem.message),
        })
    });
    let documents = documents.collect();
    let mut details: Vec<_> = problems.iter().map(line).collect();
    let error = match details.len() {
        1 => anyhow::anyhow!(details.drain(..).collect::<String>()),
        count => anyhow::anyhow!("the settings have {count} problems, and nothing is tried with them"),
    };
    Failure { code: "settings", problems: documents, details, ..Failure::usage(error) }
}
