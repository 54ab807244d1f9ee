//! A client's file as a document, and the servers in it.

use std::io;
use std::path::Path;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::cli::client::EXTENSION;
use crate::cli::client::Profile;
use crate::cli::client::jsonc;
use crate::cli::client::merge;
use crate::cli::client::merge::FileFormat;
use crate::cli::client::place::FileRow;
use smcp_authority as authority;
use smcp_authority::ReadError;
use smcp_model::encoding;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_model::unambiguous;
use smcp_yaml::Bounds;

/// The bounds of a client's YAML.
const BOUNDS: Bounds =
    Bounds { document: "a client's file", expanded: limits::CONFIG_EXPANDED, brackets: limits::CONFIG_BRACKETS };

/// The settings of Gemini CLI and Qwen Code with the command line of one more server, now and in older versions.
const LINES: [&[&str]; 2] = [&["mcp", "serverCommand"], &["mcpServerCommand"]];
/// What the clients call that server.
const LINE_NAME: &str = "mcp";
/// The keys of servers in the heads of agents.
const AGENT_KEYS: [&str; 2] = ["mcpServers", "mcp_servers"];

/// The most servers of one file: more than any client starts, and a bound for the work with each.
const SERVERS: usize = 1_000;

/// A server as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FoundServer {
    /// Its name.
    pub(super) name: String,
    /// The project for which a user's file has it.
    pub(super) project: Option<String>,
    /// The keys that lead to it.
    pub(super) keys: Vec<String>,
    /// What the file says of it.
    pub(super) entry: Value,
    /// Why the client does not start it.
    pub(super) off: Option<SafeText>,
}

/// Reads a file; `None` when there is none.
///
/// # Errors
/// Why it can't be read.
pub(super) fn text(path: &Path) -> Result<Option<String>, SafeText> {
    let bytes = match authority::read_file(path, limits::CLIENT_FILE) {
        Ok(bytes) => bytes,
        // A name that is there and leads nowhere is a link.
        Err(ReadError::Io(error)) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return match authority::exists(path) {
                Ok(true) => Err(SafeText::new("it is a link that leads nowhere")),
                Ok(false) | Err(_) => Ok(None),
            };
        }
        Err(error) => return Err(SafeText::one_line(&error.to_string())),
    };
    let text = str::from_utf8(encoding::without_mark(&bytes));
    text.map(|text| Some(text.to_owned())).map_err(|_| SafeText::new("it is not UTF-8 text"))
}

/// Parses the text of a file.
///
/// # Errors
/// Why it is not a document of its format.
pub(super) fn document(text: &str, format: FileFormat) -> Result<Map<String, Value>, SafeText> {
    let value = match format {
        FileFormat::Json if jsonc::is_unclear(text) => {
            return Err(SafeText::new("clients disagree about where a comment in it ends"));
        }
        FileFormat::Json => {
            let plain = jsonc::plain(text);
            if plain.trim_ascii().is_empty() {
                return Ok(Map::new());
            }
            let read = unambiguous::check(plain.as_bytes()).and_then(|()| serde_json::from_str(&plain));
            read.map_err(|error| SafeText::new(&format!("it is not JSON: {error}")))?
        }
        FileFormat::Toml => merge::read_toml(text).map_err(|error| SafeText::new(&error.to_string()))?,
        FileFormat::Yaml => yaml(text)?,
        FileFormat::Markdown => head(text)?,
    };
    match value {
        Value::Object(members) => Ok(members),
        Value::Null => Ok(Map::new()),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(SafeText::new("it is not an object"))
        }
    }
}

fn yaml(text: &str) -> Result<Value, SafeText> {
    let no_yaml = |message: &str| SafeText::new(&format!("it is not YAML that clients agree on: {message}"));
    let tree = smcp_yaml::parse(text, &BOUNDS).map_err(|malformed| {
        let line = malformed.position.map_or_else(String::new, |at| format!(" in line {}", at.line));
        no_yaml(&format!("{}{line}", malformed.message))
    })?;
    smcp_yaml::to_json(&tree).map_err(|_| no_yaml("it has a key twice, or a value that is no data"))
}

/// Parses the YAML between lines of `---` at the head of a text.
fn head(text: &str) -> Result<Value, SafeText> {
    let is_blank = |rest: &str| rest.chars().all(|letter| letter.is_whitespace() || letter == '\u{feff}');
    let begun = text.strip_prefix("---").and_then(|text| text.split_once('\n'));
    let Some((_, text)) = begun.filter(|(rest, _)| is_blank(rest)) else { return Ok(Value::Null) };
    let end = if text.starts_with("---") { Some(0) } else { text.find("\n---") };
    let Some(head) = end.and_then(|end| text.get(..end)) else { return Ok(Value::Null) };
    let names_servers = AGENT_KEYS.iter().any(|key| head.contains(key));
    if names_servers && head.contains("---") {
        return Err(SafeText::new("clients disagree about where its head ends"));
    }
    match yaml(head) {
        // People write descriptions that are no YAML, and clients read the rest. No servers are in it, unless a key hides.
        Err(_) if !names_servers && !head.lines().any(may_hide) => Ok(Value::Null),
        // A list of agents that are elsewhere has no servers.
        Ok(Value::Array(_)) => Ok(Value::Null),
        read => read,
    }
}

/// Whether a line may have a key in another form than its letters.
fn may_hide(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with('{') || line.starts_with(['"', '?', '&', '!']) && line.contains('\\')
}

/// Returns the servers of a document.
///
/// # Errors
/// When something else stands where they should.
pub(super) fn servers(
    document: &Map<String, Value>,
    profile: &Profile,
    row: &FileRow,
) -> Result<Vec<FoundServer>, SafeText> {
    let mut found = Vec::new();
    if row.sections == EXTENSION {
        found.extend(extension(document));
        return Ok(found);
    }
    if row.format == FileFormat::Markdown {
        found.extend(row.sections.iter().copied().flatten().flat_map(|key| agent(document, key)));
    }
    for section in row.sections.iter().filter(|_| row.format != FileFormat::Markdown) {
        walk(document, section, &mut Vec::new(), None, &mut found)?;
    }
    if found.len() > SERVERS {
        return Err(SafeText::new(&format!("it has more than {SERVERS} servers")));
    }
    // What a longer list of keys leads to is no server.
    let leads = |keys: &[String]| row.sections.iter().any(|section| section.iter().eq(keys));
    found.retain(|server| !leads(&server.keys));
    for server in &mut found {
        server.off = switched_off(document, profile, server);
    }
    if profile.is_gemini {
        found.extend(LINES.iter().filter_map(|keys| of_line(document, keys)));
    }
    Ok(found)
}

/// The servers of an agent: a mapping, or a list of mappings and of the names of servers that stand elsewhere.
fn agent(head: &Map<String, Value>, key: &str) -> Vec<FoundServer> {
    let listed = match head.get(key) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(servers) => std::slice::from_ref(servers),
        None => &[],
    };
    let servers = listed.iter().filter_map(Value::as_object).flatten();
    let found = servers.map(|(name, entry)| FoundServer {
        name: name.clone(),
        project: None,
        keys: vec![key.to_owned(), name.clone()],
        entry: entry.clone(),
        off: None,
    });
    found.collect()
}

/// The server of which a setting has the command line alone.
fn of_line(document: &Map<String, Value>, keys: &[&str]) -> Option<FoundServer> {
    let (first, rest) = keys.split_first()?;
    let line = rest.iter().try_fold(document.get(*first)?, |value, key| value.get(key))?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || " \t-_./:@=+,".contains(letter);
    let command: Value = match line {
        Value::Null => return None,
        Value::String(line) if line.trim().is_empty() => return None,
        Value::String(line) if line.chars().all(is_plain) => line.split_ascii_whitespace().collect(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => line.clone(),
    };
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    let entry = json!({ "command": command });
    Some(FoundServer { name: LINE_NAME.to_owned(), project: None, keys, entry, off: None })
}

/// Whether a setting has the command line of a server, and nothing else of it.
pub(super) fn is_line(server: &FoundServer) -> bool {
    server.name == LINE_NAME && LINES.iter().any(|keys| keys.iter().eq(&server.keys))
}

/// What an installed MCP bundle is started with.
fn extension(manifest: &Map<String, Value>) -> Option<FoundServer> {
    let name = manifest.get("name").and_then(Value::as_str).unwrap_or("without a name").to_owned();
    let entry = manifest.get("server")?.get("mcp_config").cloned().unwrap_or_default();
    Some(FoundServer { name, project: None, keys: Vec::new(), entry, off: None })
}

fn walk(
    object: &Map<String, Value>,
    section: &[&str],
    keys: &mut Vec<String>,
    project: Option<&str>,
    found: &mut Vec<FoundServer>,
) -> Result<(), SafeText> {
    let Some((first, rest)) = section.split_first() else {
        for (name, entry) in object {
            let keys = keys.iter().chain([name]).cloned().collect();
            let project = project.map(str::to_owned);
            found.push(FoundServer { name: name.clone(), project, keys, entry: entry.clone(), off: None });
        }
        return Ok(());
    };
    let inside = object.iter().filter(|(key, _)| *first == "*" || key == first);
    for (key, value) in inside {
        let is_project = *first == "*" && keys.iter().eq(["projects"]);
        let project = if is_project { Some(key.as_str()) } else { project };
        keys.push(key.clone());
        match value {
            Value::Object(object) => walk(object, rest, keys, project, found)?,
            Value::Null => {}
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return Err(SafeText::new(&format!("`{}` in it is not an object", SafeText::quoted(&keys.join(".")))));
            }
        }
        keys.pop();
    }
    Ok(())
}

/// Why the client does not start a server, by what stands beside it.
fn switched_off(document: &Map<String, Value>, profile: &Profile, server: &FoundServer) -> Option<SafeText> {
    if let Some((key, value)) = profile.off
        && server.entry.get(key) == Some(&Value::Bool(value))
    {
        return Some(SafeText::new(&format!("{key}: {value}")));
    }
    let names = |list: Option<&Value>| {
        let list = list?.as_array()?;
        Some(list.iter().any(|name| name.as_str() == Some(&server.name)))
    };
    if let Some(project) = &server.project {
        let disabled = document.get("projects").and_then(|projects| projects.get(project)?.get("disabledMcpServers"));
        return names(disabled)?.then(|| SafeText::new("disabledMcpServers"));
    }
    if !profile.is_gemini {
        return None;
    }
    let lists = document.get("mcp");
    if names(lists.and_then(|lists| lists.get("excluded"))) == Some(true) {
        return Some(SafeText::new("mcp.excluded"));
    }
    (names(lists.and_then(|lists| lists.get("allowed"))) == Some(false)).then(|| SafeText::new("mcp.allowed"))
}
