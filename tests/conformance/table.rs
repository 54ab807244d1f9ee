//! The tables: YAML → rows → cases.
//!
//! A row describes a case once. `inputs` gives the values of its variables, which are written `$name` in texts, values
//! and keys. Each input makes one case.

use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::expect::Expect;
use crate::files;

/// One file of rows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// What the rows have in common, for people.
    #[expect(dead_code, reason = "required so that no table goes without; nothing reads it")]
    about: String,
    /// The facts that all rows start with.
    #[serde(default)]
    facts: Map<String, Value>,
    /// The rows.
    pub(crate) rows: Vec<Row>,
}

/// One row of the list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// Its name in the list.
    pub(crate) id: String,
    /// The promise, in a sentence.
    #[expect(dead_code, reason = "required so that no row goes without; nothing reads it")]
    title: String,
    /// Why the answer differs from that of today's smcp, or why the row isn't run.
    pub(crate) because: Option<String>,
    /// `later`, or the tests that cover the row, each FILE#TEST. Without it the row is run here.
    pub(crate) r#where: Option<String>,
    /// The text of the configuration file.
    config: Option<String>,
    /// Instead of it, the scenario of `examples/` whose configuration is used.
    example: Option<String>,
    /// The differences from the table's facts; null removes a fact.
    #[serde(default)]
    facts: Map<String, Value>,
    /// Further arguments of `policy eval`.
    args: Option<Value>,
    /// The values of the variables, one map for each case; if absent, there is one case without variables.
    inputs: Option<Vec<Map<String, Value>>>,
    /// The answer that every case expects.
    expect: Option<Value>,
}

/// One input of one row, ready to be run.
#[derive(Debug)]
pub(crate) struct Case {
    /// The row, and the number of its input.
    pub(crate) name: String,
    /// The text of the configuration file.
    pub(crate) config: String,
    /// The facts document.
    pub(crate) facts: String,
    /// Further arguments of `policy eval`.
    pub(crate) args: Vec<String>,
    /// The expected answer.
    pub(crate) expect: Expect,
}

impl Table {
    /// Reads `tests/conformance/NAME.yaml`.
    pub(crate) fn load(name: &str) -> Self {
        let text = files::read(&format!("tests/conformance/{name}.yaml")).unwrap();
        // Goes through the parser's own tree, which refuses duplicate keys.
        let tree: serde_yaml::Value = serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_yaml::from_value(tree).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

impl Row {
    /// Whether the row has anything that only a row that is run needs.
    pub(crate) const fn is_runnable(&self) -> bool {
        self.config.is_some() || self.example.is_some() || self.inputs.is_some() || self.expect.is_some()
    }

    /// Returns the cases of the row.
    pub(crate) fn cases(&self, table: &Table) -> Vec<Case> {
        let single = vec![Map::new()];
        let inputs = self.inputs.as_ref().unwrap_or(&single);
        assert!(!inputs.is_empty(), "{}: no inputs", self.id);
        inputs.iter().enumerate().map(|(index, input)| self.case(table, index, input)).collect()
    }

    fn case(&self, table: &Table, index: usize, input: &Map<String, Value>) -> Case {
        let name = format!("{}[{index}]", self.id);
        let template = json!({
            "config": self.config, "facts": self.facts, "args": self.args, "expect": self.expect,
        });
        let unused: Vec<_> = input.keys().filter(|name| !variables(&template).contains(&name.as_str())).collect();
        assert!(unused.is_empty(), "{name}: nothing uses {unused:?}");
        let filled = fill(&template, input, &name);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let config = match (text(&filled["config"]), &self.example) {
            (Some(config), None) => config,
            (None, Some(example)) => files::read(&format!("examples/{example}/config.yaml")).unwrap(),
            (Some(_), Some(_)) | (None, None) => panic!("{name}: either `config` or `example`"),
        };
        let args = filled["args"].as_array().into_iter().flatten().map(|argument| text(argument).unwrap()).collect();
        let facts = facts(&table.facts, filled["facts"].as_object().unwrap()).to_string();
        let expect = serde_json::from_value(filled["expect"].clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
        Case { name, config, facts, args, expect }
    }
}

/// Returns the table's facts, changed by those of the row.
fn facts(common: &Map<String, Value>, own: &Map<String, Value>) -> Value {
    let mut facts = common.clone();
    facts.extend(own.clone());
    facts.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>().into()
}

/// Splits `a $name b` into (`a `, `name`, ` b`).
fn next_variable(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('$')?;
    let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    Some((before, name, after))
}

/// Returns the names of all variables in a value.
fn variables(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => {
            std::iter::successors(next_variable(text), |(_, _, rest)| next_variable(rest)).map(|it| it.1).collect()
        }
        Value::Array(items) => items.iter().flat_map(variables).collect(),
        Value::Object(entries) => entries
            .iter()
            .flat_map(|(key, value)| next_variable(key).map(|it| it.1).into_iter().chain(variables(value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Replaces the variables in a value. A text that is only a variable becomes its value, of any type.
fn fill(value: &Value, input: &Map<String, Value>, case: &str) -> Value {
    match value {
        Value::String(text) => match next_variable(text) {
            Some(("", name, "")) => lookup(input, name, case).clone(),
            Some(_) | None => fill_text(text, input, case).into(),
        },
        Value::Array(items) => items.iter().map(|item| fill(item, input, case)).collect(),
        Value::Object(entries) => entries
            .iter()
            .map(|(key, value)| (fill_text(key, input, case), fill(value, input, case)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn fill_text(text: &str, input: &Map<String, Value>, case: &str) -> String {
    let Some((before, name, after)) = next_variable(text) else { return text.to_owned() };
    let value = lookup(input, name, case);
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    format!("{before}{value}{}", fill_text(after, input, case))
}

fn lookup<'a>(input: &'a Map<String, Value>, name: &str, case: &str) -> &'a Value {
    input.get(name).unwrap_or_else(|| panic!("{case}: no input gives ${name}"))
}
