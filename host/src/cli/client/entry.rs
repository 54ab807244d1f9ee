//! A server as a client writes it: its keys, and where values come from.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::client::EntryShape;
use crate::cli::client::Profile;
use crate::cli::client::Secrets;
use crate::cli::client::ServerEntry;
use crate::cli::client::merge::Addition;

impl Profile {
    /// Returns the server as the client writes it.
    pub(in crate::cli) fn value(&self, server: &ServerEntry) -> Value {
        let ServerEntry { name, command, args, variables } = server;
        let given: Map<_, _> = variables.iter().map(|key| (key.clone(), self.value_of(name, key))).collect();
        let if_variables = |key: &'static str, value: Value| (!variables.is_empty()).then_some((key, value));
        let members = match self.shape {
            EntryShape::Plain | EntryShape::Typed => [
                (self.shape == EntryShape::Typed).then_some(("type", json!("stdio"))),
                Some(("command", json!(command))),
                Some(("args", json!(args))),
                if_variables("env", Value::Object(given)),
            ]
            .to_vec(),
            EntryShape::Codex => [
                Some(("command", json!(command))),
                Some(("args", json!(args))),
                if_variables("env_vars", json!(variables)),
            ]
            .to_vec(),
            EntryShape::Opencode => {
                let words: Vec<_> = std::iter::once(command).chain(args).collect();
                [
                    Some(("type", json!("local"))),
                    Some(("command", json!(words))),
                    if_variables("environment", Value::Object(given)),
                    Some(("enabled", json!(true))),
                ]
                .to_vec()
            }
            EntryShape::Goose => [
                Some(("name", json!(name))),
                Some(("type", json!("stdio"))),
                Some(("enabled", json!(true))),
                Some(("cmd", json!(command))),
                Some(("args", json!(args))),
                if_variables("env_keys", json!(variables)),
                // Seconds; Goose itself writes this value.
                Some(("timeout", json!(300))),
            ]
            .to_vec(),
        };
        members.into_iter().flatten().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
    }

    /// Returns what has to be in the client's file.
    pub(in crate::cli) fn additions(&self, server: &ServerEntry) -> Vec<Addition> {
        let (section, name, value) = (self.section(), server.name.clone(), self.value(server));
        let asked = server.variables.iter().filter(|_| self.secrets == Secrets::Asked);
        let questions = asked.map(|key| question(server, key));
        std::iter::once(Addition::Member { section, name, value }).chain(questions).collect()
    }

    /// Whether the user has to write the values of variables into the file themselves.
    pub(in crate::cli) fn keeps_values(&self) -> bool {
        self.secrets == Secrets::ByHand
    }

    /// Returns the first mark in `text` that the client would expand in a command or an argument; `None` when it takes
    /// the text as it is.
    pub(in crate::cli) fn expanded_in(&self, text: &str) -> Option<&'static str> {
        let marks: &[&'static str] = match self.secrets {
            Secrets::Environment("{env:", _) => &["{env:", "{file:"],
            Secrets::Environment(..) | Secrets::Asked => &["${"],
            Secrets::ByHand | Secrets::Named => &[],
        };
        let named = || {
            // Gemini CLI and Qwen Code expand the short form, too.
            let mut behind = text.split('$').skip(1);
            let short = self.secrets == Secrets::Environment("${", "}") && self.shape == EntryShape::Plain;
            (short && behind.any(|rest| rest.starts_with(|next: char| next.is_ascii_alphabetic() || next == '_')))
                .then_some("$")
        };
        marks.iter().copied().find(|mark| text.contains(*mark)).or_else(named)
    }

    /// Returns what is written as the value of a variable: never a secret, but where the client gets it from; empty
    /// when the user has to write it.
    fn value_of(&self, server: &str, key: &str) -> Value {
        match self.secrets {
            Secrets::ByHand | Secrets::Named => "".into(),
            Secrets::Environment(before, behind) => format!("{before}{key}{behind}").into(),
            Secrets::Asked => format!("${{input:{}}}", input(server, key)).into(),
        }
    }
}

/// Returns the id of VS Code's question for a value.
fn input(server: &str, key: &str) -> String {
    format!("{server}-{key}")
}

/// Returns VS Code's question for a value. VS Code keeps the answer in the system's store of secrets.
fn question(server: &ServerEntry, key: &str) -> Addition {
    let description = format!("{key} for {}", server.name);
    let value = json!({
        "type": "promptString", "id": input(&server.name, key), "description": description, "password": true,
    });
    Addition::Element { section: "inputs", value }
}
