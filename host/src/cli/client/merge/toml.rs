//! Adds a server to a client's TOML file; comments and layout stay.

use serde_json::Value;
use toml_edit::Array;
use toml_edit::DocumentMut;
use toml_edit::Item;
use toml_edit::Table;

use crate::cli::client::merge::Addition;
use crate::cli::client::merge::ClientCommand;
use crate::cli::client::merge::MergeError;

/// Returns the text with all additions in it; the same text when they are there already. A different server of the same
/// name is replaced only with `force`.
///
/// # Errors
/// See [`MergeError`].
pub(super) fn merge(text: &str, additions: &[Addition], force: bool) -> Result<String, MergeError> {
    let mut document = parse(text)?;
    let mut changed = false;
    for addition in additions {
        match addition {
            Addition::Member { section, name, value } => changed |= put(&mut document, section, name, value, force)?,
            // No client with a TOML file has a list to add to.
            Addition::Element { .. } => {}
        }
    }
    if !changed {
        return Ok(text.to_owned());
    }
    let merged = document.to_string();
    // The additions get the line ends of the file.
    let is_crlf = text.contains('\n') && text.matches('\n').count() == text.matches("\r\n").count();
    let merged = if is_crlf { merged.replace("\r\n", "\n").replace('\n', "\r\n") } else { merged };
    if holds(&parse(&merged)?, additions) { Ok(merged) } else { Err(MergeError::Layout) }
}

/// Reads a document as JSON. Numbers and times that JSON has no words for become texts: no server is started by one.
///
/// # Errors
/// [`MergeError::Toml`].
pub(super) fn read(text: &str) -> Result<Value, MergeError> {
    Ok(whole_json_of(parse(text)?.as_item()))
}

fn whole_json_of(item: &Item) -> Value {
    if let Some(table) = item.as_table_like() {
        return table.iter().map(|(key, item)| (key.to_owned(), whole_json_of(item))).collect();
    }
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|table| whole_json_of(&Item::Table(table.clone()))).collect();
    }
    if let Some(items) = item.as_array() {
        return items.iter().map(|value| whole_json_of(&Item::Value(value.clone()))).collect();
    }
    json_of(item).unwrap_or_else(|| item.to_string().trim().into())
}

/// Returns the text with another command in the entry that the keys lead to.
///
/// # Errors
/// When the entry has another shape, or a comment stands where the command does.
pub(super) fn rewrite(text: &str, keys: &[String], new: &ClientCommand) -> Result<String, MergeError> {
    let mut document = parse(text)?;
    let [section, name] = keys else { return Err(MergeError::Moved) };
    let servers = document.get_mut(section).and_then(Item::as_table_like_mut).ok_or(MergeError::Moved)?;
    let server = servers.get_mut(name).and_then(Item::as_table_like_mut).ok_or(MergeError::Moved)?;
    let args: Array = new.args.iter().map(String::as_str).collect();
    for (key, value) in [("command", toml_edit::Value::from(new.program.as_str())), ("args", args.into())] {
        match server.get_mut(key).and_then(Item::as_value_mut) {
            // Behind the value is a comment of its line, which stays; inside it one would be lost.
            Some(there) if key == "args" && there.as_array().is_none_or(has_comment) => {
                return Err(MergeError::Comment);
            }
            Some(there) => {
                let mut value = value;
                *value.decor_mut() = there.decor().clone();
                *there = value;
            }
            None if key == "args" => drop(server.insert(key, Item::Value(value))),
            None => return Err(MergeError::Moved),
        }
    }
    let changed = document.to_string();
    let is_crlf = text.contains('\n') && text.matches('\n').count() == text.matches("\r\n").count();
    Ok(if is_crlf { changed.replace("\r\n", "\n").replace('\n', "\r\n") } else { changed })
}

/// Whether a comment stands inside a list.
fn has_comment(list: &Array) -> bool {
    let mut inside = list.clone();
    inside.decor_mut().clear();
    // Of the words only what stands around them counts.
    inside.iter_mut().for_each(|value| {
        let decor = value.decor().clone();
        *value = toml_edit::Value::from("");
        *value.decor_mut() = decor;
    });
    inside.to_string().contains('#')
}

/// Whether a client finds all additions in the document.
fn holds(document: &DocumentMut, additions: &[Addition]) -> bool {
    additions.iter().all(|addition| match addition {
        Addition::Member { section, name, value } => {
            let servers = document.get(section).and_then(Item::as_table_like);
            servers.and_then(|servers| json_of(servers.get(name)?)).as_ref() == Some(value)
        }
        Addition::Element { .. } => true,
    })
}

fn parse(text: &str) -> Result<DocumentMut, MergeError> {
    text.parse().map_err(|error: toml_edit::TomlError| {
        // The parser's own text shows lines of the file, which may hold secrets.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        MergeError::Toml(format!(
            "{} in line {}",
            error.message().replace('\n', ", "),
            before.matches('\n').count() + 1
        ))
    })
}

/// Puts one server into the document. Returns whether that changed anything.
fn put(
    document: &mut DocumentMut,
    section: &'static str,
    name: &str,
    value: &Value,
    force: bool,
) -> Result<bool, MergeError> {
    let servers = document.entry(section).or_insert_with(|| {
        let mut servers = Table::new();
        // `[mcp_servers.tool]` is enough: the table of servers needs no header of its own.
        servers.set_implicit(true);
        Item::Table(servers)
    });
    let is_inline = servers.is_inline_table();
    let servers = servers.as_table_like_mut().ok_or(MergeError::Section { section, expected: "a table" })?;
    if let Some(there) = servers.get(name) {
        if json_of(there).as_ref() == Some(value) {
            return Ok(false);
        }
        if !force {
            return Err(MergeError::Taken(name.to_owned()));
        }
    }
    let mut table = Table::new();
    for (key, value) in value.as_object().into_iter().flatten() {
        table.insert(key, Item::Value(toml_of(value)));
    }
    if let Some(there) = servers.get(name).and_then(Item::as_table) {
        // The new table keeps the comments above the old one, and its place.
        *table.decor_mut() = there.decor().clone();
        table.set_position(there.position());
    }
    // Inside braces there are no headers. A server that was written in braces stays so.
    let in_braces = is_inline || servers.get(name).is_some_and(Item::is_inline_table);
    let item = if in_braces { Item::Value(table.into_inline_table().into()) } else { Item::Table(table) };
    servers.insert(name, item);
    Ok(true)
}

fn toml_of(value: &Value) -> toml_edit::Value {
    match value {
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => number.as_i64().unwrap_or_default().into(),
        Value::Array(items) => items.iter().map(toml_of).collect::<Array>().into(),
        Value::String(text) => text.as_str().into(),
        // No server that smcp writes has them.
        Value::Null | Value::Object(_) => value.to_string().into(),
    }
}

/// Returns a value of the file as JSON, to compare it; `None` for what is never in a server that smcp writes.
fn json_of(item: &Item) -> Option<Value> {
    if let Some(table) = item.as_table_like() {
        return table.iter().map(|(key, item)| Some((key.to_owned(), json_of(item)?))).collect();
    }
    match item.as_value()? {
        toml_edit::Value::String(text) => Some(text.value().as_str().into()),
        toml_edit::Value::Integer(number) => Some((*number.value()).into()),
        toml_edit::Value::Boolean(truth) => Some((*truth.value()).into()),
        toml_edit::Value::Array(items) => {
            items.iter().map(|value| json_of(&Item::Value(value.clone()))).collect::<Option<Vec<_>>>().map(Value::from)
        }
        toml_edit::Value::Float(_) | toml_edit::Value::Datetime(_) | toml_edit::Value::InlineTable(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ADDED: &str = "[mcp_servers.tool]\ncommand = \"/bin/smcp\"\nargs = [\"run\", \"acme/tool@1\"]\n";

    fn tool() -> Addition {
        let value = json!({"command": "/bin/smcp", "args": ["run", "acme/tool@1"]});
        Addition::Member { section: "mcp_servers", name: "tool".to_owned(), value }
    }

    fn merged(text: &str) -> Result<String, String> {
        merge(text, &[tool()], false).map_err(|error| error.to_string())
    }

    #[test]
    fn a_server_is_added_and_the_rest_stays() {
        let cases = [
            ("", ADDED.to_owned()),
            ("model = \"x\" # mine\n", format!("model = \"x\" # mine\n\n{ADDED}")),
            (
                "# head\n[mcp_servers.other]   # it\ncommand='x'\n\n[tui]\na = 1_000\n# tail\n",
                format!("# head\n[mcp_servers.other]   # it\ncommand='x'\n\n{ADDED}\n[tui]\na = 1_000\n# tail\n"),
            ),
            (
                "[mcp_servers]\n[tui]\na = \"\"\"x\ny\"\"\"\n",
                format!("[mcp_servers]\n\n{ADDED}[tui]\na = \"\"\"x\ny\"\"\"\n"),
            ),
            (
                "[a.b]\nmcp_servers.c = 1\n[[list]]\nx = 1 # one\n[[list]]\n\n# end",
                format!("[a.b]\nmcp_servers.c = 1\n[[list]]\nx = 1 # one\n[[list]]\n\n{ADDED}\n# end"),
            ),
            (
                "mcp_servers.other.command = \"x\"\nmodel = \"y\"\n",
                format!("mcp_servers.other.command = \"x\"\nmodel = \"y\"\n\n{ADDED}"),
            ),
            (
                "mcp_servers = { other = { command = \"x\" } } # mine\n",
                "mcp_servers = { other = { command = \"x\" } , tool = { command = \"/bin/smcp\", args = [\"run\", \"acme/tool@1\"] } } # mine\n".to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(merged(text).as_deref(), Ok(expected.as_str()), "{text}");
            assert_eq!(merged(&expected).as_deref(), Ok(expected.as_str()), "a second time changes nothing");
        }
        let dos = merged("model = \"x\"\r\n[tui]\r\n").unwrap();
        assert_eq!(dos.matches('\n').count(), dos.matches("\r\n").count(), "{dos:?}");
    }

    #[test]
    fn another_command_takes_the_place_of_one() {
        let new = ClientCommand { program: "/bin/smcp".to_owned(), args: vec!["run".to_owned(), "npm/x@1".to_owned()] };
        let keys = ["mcp_servers".to_owned(), "x".to_owned()];
        let cases = [
            (
                "# mine\n[mcp_servers.x] # it\ncommand = 'npx' # old\nargs = [\"-y\", \"x#1\"] # both\nenv = { A = '1' }\n[tui]\n",
                Ok(
                    "# mine\n[mcp_servers.x] # it\ncommand = \"/bin/smcp\" # old\nargs = [\"run\", \"npm/x@1\"] # both\nenv = { A = '1' }\n[tui]\n",
                ),
            ),
            (
                "[mcp_servers.x]\r\ncommand = 'x-mcp'\r\n",
                Ok("[mcp_servers.x]\r\ncommand = \"/bin/smcp\"\r\nargs = [\"run\", \"npm/x@1\"]\r\n"),
            ),
            (
                "mcp_servers = { x = { command = 'npx', args = [] } }\n",
                Ok("mcp_servers = { x = { command = \"/bin/smcp\", args = [\"run\", \"npm/x@1\"] } }\n"),
            ),
            ("[mcp_servers.x]\ncommand = 'npx'\nargs = [\n  '-y', # yes\n]\n", Err("a comment stands")),
            ("[mcp_servers.x]\nurl = 'y'\n", Err("not where it was")),
            ("[mcp_servers.y]\n", Err("not where it was")),
        ];
        for (text, expected) in cases {
            let changed = rewrite(text, &keys, &new).map_err(|error| error.to_string());
            match expected {
                Ok(expected) => assert_eq!(changed.as_deref(), Ok(expected), "{text}"),
                Err(says) => assert!(changed.unwrap_err().contains(says), "{text}"),
            }
        }
    }

    #[test]
    fn what_is_not_understood_is_left_alone() {
        let cases = [
            ("model = \n", "it is not TOML: "),
            ("a = 1\nsecret = hunter2\n", "in line 2"),
            ("a = 1\na = 2\n", "it is not TOML: "),
            ("mcp_servers = 1\n", "`mcp_servers` in it is not a table"),
            ("[[mcp_servers]]\n", "`mcp_servers` in it is not a table"),
            ("[mcp_servers.tool]\ncommand = \"other\"\n", "it has another server `tool`"),
            (
                "[mcp_servers.tool]\ncommand = \"/bin/smcp\"\nargs = [\"run\", \"acme/tool@1\"]\nx = 1.5\n",
                "another server",
            ),
        ];
        for (text, says) in cases {
            let error = merged(text).unwrap_err();
            assert!(error.contains(says) && !error.contains("hunter2") && !error.contains('\n'), "{text}: {error}");
        }
        let there = "[mcp_servers.tool]\ncommand = \"other\"\n\n[mcp_servers.next]\n";
        assert_eq!(merge(there, &[tool()], true).unwrap(), format!("{ADDED}\n[mcp_servers.next]\n"));
        let noted = "[a]\n# mine\n[mcp_servers.tool]\ncommand = \"other\"\n[b]\n";
        assert_eq!(merge(noted, &[tool()], true).unwrap(), format!("[a]\n# mine\n{ADDED}[b]\n"));
    }
}
