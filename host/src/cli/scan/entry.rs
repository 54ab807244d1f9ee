//! What a client starts by an entry of its file, by whatever keys.

use serde_json::Value;

/// What an entry makes a client do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ClientStart {
    /// Start a command.
    Command {
        /// The program and its arguments.
        words: Vec<String>,
        /// Variables that it gets; those whose value comes from elsewhere have none.
        variables: Vec<(String, Option<String>)>,
        /// Whether a file has more of them.
        has_file: bool,
        /// The folder that it starts in, as the file names it.
        folder: Option<String>,
    },
    /// Connect to a URL.
    Url(String),
    /// Use a part of the client.
    BuiltIn(String),
    /// Something that is not understood, and why.
    Unknown(&'static str),
}

/// The kinds of Goose's extensions that are no program of their own.
const BUILT_IN: [&str; 3] = ["builtin", "platform", "frontend"];
/// The keys of a URL, by client.
const URLS: [&str; 5] = ["url", "serverUrl", "httpUrl", "http_url", "uri"];
/// The keys of variables with values, by client.
const VARIABLES: [&str; 3] = ["env", "environment", "envs"];
/// The keys of names of variables, by client.
const NAMES: [&str; 2] = ["env_vars", "env_keys"];

impl ClientStart {
    /// Reads an entry.
    pub(super) fn of(entry: &Value) -> Self {
        let Value::Object(members) = entry else { return Self::Unknown("it is not an object") };
        let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
        if BUILT_IN.contains(&kind) {
            return Self::BuiltIn(kind.to_owned());
        }
        if kind == "inline_python" {
            let words = vec!["uvx".to_owned()];
            return Self::Command { words, variables: Vec::new(), has_file: false, folder: None };
        }
        let url = URLS.iter().find_map(|key| members.get(*key)).filter(|url| !url.is_null());
        let command = ["command", "cmd"].iter().find_map(|key| members.get(*key)).filter(|command| !command.is_null());
        match (command, url) {
            (Some(_), Some(_)) => Self::Unknown("it has a command and a URL"),
            (None, Some(Value::String(url))) => Self::Url(url.clone()),
            (None, Some(_)) => Self::Unknown("its URL is no text"),
            (None, None) => Self::Unknown("it has neither a command nor a URL"),
            (Some(command), None) => {
                // Zed had the whole command in an object once.
                let inner = if command.is_object() { command } else { entry };
                let program = command.get("path").unwrap_or(command);
                match words(program, inner.get("args")) {
                    Some(words) => {
                        let has_file = entry.get("envFile").is_some();
                        let folder = entry.get("cwd").filter(|folder| !folder.is_null());
                        // One that is no text is named by no whole path.
                        let folder = folder.map(|folder| folder.as_str().unwrap_or_default().to_owned());
                        Self::Command { words, variables: variables(inner), has_file, folder }
                    }
                    None => Self::Unknown("its command or its arguments are no texts"),
                }
            }
        }
    }

    /// The names of the variables that the server is given.
    pub(super) fn variable_names(&self) -> Vec<&str> {
        match self {
            Self::Command { variables, .. } => variables.iter().map(|(name, _)| name.as_str()).collect(),
            Self::Url(_) | Self::BuiltIn(_) | Self::Unknown(_) => Vec::new(),
        }
    }
}

/// The words of a command: a program with a list of arguments, or one list of all.
fn words(program: &Value, args: Option<&Value>) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let mut words = match program {
        Value::String(program) => vec![program.clone()],
        Value::Array(words) => words.iter().map(text).collect::<Option<Vec<_>>>()?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return None,
    };
    match args {
        None | Some(Value::Null) => {}
        Some(Value::Array(args)) => words.extend(args.iter().map(text).collect::<Option<Vec<_>>>()?),
        Some(_) => return None,
    }
    (!words.first()?.trim().is_empty()).then_some(words)
}

fn variables(entry: &Value) -> Vec<(String, Option<String>)> {
    let given = VARIABLES.iter().filter_map(|key| entry.get(*key)?.as_object()).flatten();
    let given = given.map(|(name, value)| {
        // What the client puts something else in the place of is not known here.
        let known = value.as_str().filter(|value| !value.contains(['$', '{']));
        (name.clone(), known.map(str::to_owned))
    });
    let named = NAMES.iter().filter_map(|key| entry.get(*key)?.as_array()).flatten();
    let named = named.filter_map(|name| Some((name.as_str()?.to_owned(), None)));
    given.chain(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn command(words: &[&str]) -> ClientStart {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        ClientStart::Command { words, variables: Vec::new(), has_file: false, folder: None }
    }

    #[test]
    fn every_client_has_its_keys() {
        let url = || ClientStart::Url("https://x.example/mcp".to_owned());
        let cases = [
            (json!({"command": "npx", "args": ["-y", "x"]}), command(&["npx", "-y", "x"])),
            (json!({"command": "x"}), command(&["x"])),
            (json!({"command": "x", "args": null, "url": null}), command(&["x"])),
            (json!({"type": "local", "command": ["npx", "-y", "x"]}), command(&["npx", "-y", "x"])),
            (json!({"type": "stdio", "cmd": "uvx", "args": ["x"]}), command(&["uvx", "x"])),
            (json!({"command": {"path": "npx", "args": ["x"], "env": null}}), command(&["npx", "x"])),
            (json!({"type": "inline_python", "code": "print(1)"}), command(&["uvx"])),
            (json!({"url": "https://x.example/mcp"}), url()),
            (json!({"serverUrl": "https://x.example/mcp"}), url()),
            (json!({"httpUrl": "https://x.example/mcp"}), url()),
            (json!({"type": "sse", "uri": "https://x.example/mcp"}), url()),
            (json!({"type": "builtin", "name": "developer"}), ClientStart::BuiltIn("builtin".to_owned())),
            (
                json!({"source": "extension", "settings": {}}),
                ClientStart::Unknown("it has neither a command nor a URL"),
            ),
            (json!({"command": "x", "url": "y"}), ClientStart::Unknown("it has a command and a URL")),
            (json!({"url": 5}), ClientStart::Unknown("its URL is no text")),
            (json!("npx"), ClientStart::Unknown("it is not an object")),
        ];
        for (entry, expected) in cases {
            assert_eq!(ClientStart::of(&entry), expected, "{entry}");
        }
        for entry in [
            json!({"command": 5}),
            json!({"command": "x", "args": "y"}),
            json!({"command": " "}),
            json!({"command": []}),
        ] {
            assert!(matches!(ClientStart::of(&entry), ClientStart::Unknown(_)), "{entry}");
        }
    }

    #[test]
    fn variables_have_values_where_the_file_has_them() {
        let entry = json!({"command": "x", "env": {"A": "1", "B": "${B}"}, "env_vars": ["C"]});
        let ClientStart::Command { variables, .. } = ClientStart::of(&entry) else { panic!("{entry}") };
        let known = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        assert_eq!(variables, [known("A", Some("1")), known("B", None), known("C", None)]);
    }
}
