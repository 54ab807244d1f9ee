//! The manifest of an MCP bundle, 0.1 to 0.4, and what becomes of it in ours.
//!
//! What a client would ask its user for becomes variables: those that the server gets under a name of its own keep it, all
//! others are called after their key. Places of the client's machine become places in the bundle, or below HOME.

use std::collections::BTreeMap;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::manifest::Platform;
use crate::mcpb::McpbError;
use crate::mcpb::repository;
use crate::mcpb::text;
use crate::mcpb::zip::ZipEntry;
use smcp_model::code_variable::changes_code;
use smcp_model::code_variable::leaves_bundle;
use smcp_model::fetches::Fetches;
use smcp_model::json as model_json;
use smcp_model::manifest::Entrypoint;
use smcp_model::text::SafeText;

/// The versions of the format that are understood.
const VERSIONS: [&str; 4] = ["0.1", "0.2", "0.3", "0.4"];
/// Names of variables that a server has anyway, beside those that change which code runs.
const TAKEN_NAMES: [&str; 4] = ["LANG", "TMPDIR", "SHELL", "USER"];
/// The root of the archive, in its manifest.
const DIRNAME: &str = "${__dirname}";
/// How the names of scripts end.
const SCRIPTS: [&str; 4] = [".js", ".mjs", ".cjs", ".py"];
/// Where a place below HOME begins, in our manifest.
const HOME: &str = "${HOME}";

/// What a manifest of the format says, as far as a start depends on it.
#[derive(Debug)]
pub(super) struct McpbManifest {
    whole: Map<String, Value>,
    name: String,
    version: String,
    kind: &'static str,
    /// The path of the server's main file in the archive.
    entry_point: Option<String>,
    config: McpConfig,
    asked: Map<String, Value>,
}

/// What an MCP bundle's manifest says, in the words of ours.
#[derive(Debug)]
pub struct McpbDraft {
    /// What the bundle calls itself.
    pub name: String,
    /// The version that it gives itself.
    pub version: String,
    /// What it is for.
    pub description: Option<String>,
    /// Where its source is.
    pub repository: Option<String>,
    /// Its licence.
    pub license: Option<String>,
    /// `node`, `python` or `binary`.
    pub runtime: &'static str,
    /// What is started, with its arguments.
    pub command: Vec<String>,
    /// Variables that the manifest sets.
    pub env: Map<String, Value>,
    /// What a client would ask its user for.
    pub variables: Map<String, Value>,
    /// What the user should know.
    pub remarks: Vec<SafeText>,
}

/// How the server is started.
#[derive(Debug, Default)]
struct McpConfig {
    command: Option<String>,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, String>>,
}

impl McpbManifest {
    /// Reads a manifest. What it says beside the start is for people: icons, screenshots, lists of tools.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, McpbError> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let whole: Map<String, Value> =
            model_json::read(bytes).map_err(|problem| McpbError::manifest(problem.as_str()))?;
        let text = |key: &str| {
            let missing = || McpbError::manifest(format!("`{key}` is missing, or no text"));
            whole
                .get(key)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
                .ok_or_else(missing)
        };
        // Its first name was DXT.
        let format = text("manifest_version").or_else(|error| text("dxt_version").map_err(|_| error))?;
        if !VERSIONS.contains(&format.as_str()) {
            let (found, known) = (SafeText::quoted(&format), VERSIONS.join(", "));
            return Err(McpbError::manifest(format!("`manifest_version` is `{found}`; expected one of {known}")));
        }
        let (name, version) = (text("name")?, text("version")?);
        let server = whole.get("server").and_then(Value::as_object);
        let server = server.ok_or_else(|| McpbError::manifest("`server` is missing, or no object"))?;
        let kind = match server.get("type").and_then(Value::as_str) {
            Some("node") => "node",
            Some("python") => "python",
            Some("binary") => "binary",
            Some("uv") => {
                return Err(fetching("its server is of type `uv`, which fetches"));
            }
            _ => return Err(McpbError::manifest("`server.type` is none of node, python, binary and uv")),
        };
        check_platform(&whole)?;
        let config = match server.get("mcp_config") {
            None | Some(Value::Null) => McpConfig::default(),
            Some(config) => McpConfig::here(config)?,
        };
        let asked = match whole.get("user_config") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(asked)) => asked.clone(),
            Some(_) => return Err(McpbError::manifest("`user_config` is no object")),
        };
        let entry_point = server.get("entry_point").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { whole, name, version, kind, entry_point, config, asked })
    }

    /// Says it in the words of our manifest, for a server that is started in the folder that has the bundle's files.
    pub(super) fn draft(self, entries: &[ZipEntry<'_>], folder: Option<&'static str>) -> Result<McpbDraft, McpbError> {
        let Self { whole, name, version, kind, entry_point, config, asked } = self;
        let McpConfig { command, args, env } = config;
        let missing = || McpbError::manifest("`server.mcp_config.command` is missing: nothing says what is started");
        let command = command.filter(|command| !command.trim().is_empty()).ok_or_else(missing)?;
        let (args, env) = (args.unwrap_or_default(), env.unwrap_or_default());
        check_start(&command, &args)?;
        if let Some((name, _)) = env.iter().find(|(name, value)| leaves_bundle(name, &places(value))) {
            return Err(McpbError::unfit(format!(
                "its `mcp_config.env` sets {}, by which other code may run than what is in it",
                SafeText::quoted(name)
            )));
        }
        check_files(entry_point.as_deref(), args.first(), entries)?;
        let mut remarks = Vec::new();
        let asked = AskedVariables::of(&asked, &args, &env)?;
        if !asked.unused.is_empty() {
            let keys = asked.unused.join(", ");
            remarks.push(SafeText::new(&format!("nothing uses what it would ask the user for as {keys}")));
        }
        let fill = |text: &str| asked.fill(text);
        let command = program(&command, kind, (entries, folder), &mut remarks)?;
        let command: Vec<String> = std::iter::once(command).chain(args.iter().map(|argument| fill(argument))).collect();
        let own = env.iter().filter(|(name, value)| !asked.is_passed(name, value));
        let env: Map<String, Value> = own.map(|(name, value)| (name.clone(), fill(value).into())).collect();
        let mut variables = asked.variables;
        let texts = command.iter().map(String::as_str).chain(env.values().filter_map(Value::as_str));
        let defaults = variables.values().filter_map(|about| about.get("default")?.as_str());
        if texts.chain(defaults).any(|text| text.contains(HOME)) {
            variables.insert("HOME".to_owned(), json!({}));
        }
        Ok(McpbDraft {
            name,
            version,
            description: text(&whole, "description"),
            repository: repository(whole.get("repository")),
            license: text(&whole, "license"),
            runtime: kind,
            command,
            env,
            variables,
            remarks,
        })
    }
}

impl McpConfig {
    /// What holds on this system: what is said for it goes before what is said for all.
    fn here(config: &Value) -> Result<Self, McpbError> {
        let Self { command, args, env } = Self::read(config)?;
        let over = config.get("platform_overrides").and_then(|systems| systems.get(Platform::current().os()));
        let over = over.map(Self::read).transpose()?.unwrap_or_default();
        Ok(Self {
            command: over.command.filter(|command| !command.is_empty()).or(command),
            args: over.args.or(args),
            env: over.env.or(env),
        })
    }

    fn read(config: &Value) -> Result<Self, McpbError> {
        let wrong = |key: &str| McpbError::manifest(format!("`server.mcp_config`: `{key}` is not what it has to be"));
        let object = config.as_object().ok_or_else(|| McpbError::manifest("`server.mcp_config` is no object"))?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let given = |key: &str| object.get(key).filter(|value| !value.is_null());
        let command = given("command").map(|value| text(value).ok_or_else(|| wrong("command"))).transpose()?;
        let args = given("args").map(|value| value.as_array()?.iter().map(text).collect::<Option<Vec<_>>>());
        let args = args.map(|args| args.ok_or_else(|| wrong("args"))).transpose()?;
        let env = given("env").map(|value| {
            let pairs = value.as_object()?.iter().map(|(name, value)| Some((name.clone(), text(value)?)));
            pairs.collect::<Option<BTreeMap<_, _>>>()
        });
        let env = env.map(|env| env.ok_or_else(|| wrong("env"))).transpose()?;
        Ok(Self { command, args, env })
    }
}

fn check_platform(whole: &Map<String, Value>) -> Result<(), McpbError> {
    let platforms = whole.get("compatibility").and_then(|compatibility| compatibility.get("platforms")?.as_array());
    let here = Platform::current().os();
    match platforms {
        Some(platforms) if !platforms.is_empty() && !platforms.iter().any(|platform| *platform == *here) => {
            let names: Vec<&str> = platforms.iter().filter_map(Value::as_str).collect();
            let names = SafeText::quoted(&names.join(", "));
            Err(McpbError::unfit(format!("it is for {names}, and this is {here}")))
        }
        Some(_) | None => Ok(()),
    }
}

/// The refusal of what fetches at every start; `what` says what does.
fn fetching(what: &str) -> McpbError {
    McpbError::unfit(format!(
        "{what} at every start what it runs: what was judged would not be what starts\n  import what it fetches instead: smcp \
         import npm:NAME or pypi:NAME; or ask its author for a bundle with the server in it"
    ))
}

/// Refuses a program of PATH that fetches, such as npx, uvx and docker, as far as the words show it.
fn check_start(command: &str, args: &[String]) -> Result<(), McpbError> {
    let (command, env) = (command.to_owned(), BTreeMap::new());
    // A program of the bundle is what it is, whatever it is called.
    let inside = command.starts_with(DIRNAME);
    let fetches = Fetches::of(&Entrypoint { command, args: args.to_vec(), env, workdir: None });
    match fetches.filter(|_| !inside) {
        Some(fetches) => Err(fetching(&format!("its command `{}` fetches", SafeText::quoted(fetches.as_str())))),
        None => Ok(()),
    }
}

/// Checks that the files are there that the manifest names: its entry point, and a script as the first argument.
fn check_files(entry_point: Option<&str>, first: Option<&String>, entries: &[ZipEntry<'_>]) -> Result<(), McpbError> {
    let is_there = |path: &str| entries.iter().any(|entry| entry.name == inner(path) && !entry.is_folder);
    let missing = |key: &str, path: &str| {
        Err(McpbError::manifest(format!("`{key}` names `{}`, which is not in it", SafeText::quoted(path))))
    };
    let script = first.filter(|path| SCRIPTS.iter().any(|end| path.ends_with(end)));
    let script = script.and_then(|path| path.strip_prefix(DIRNAME));
    match (entry_point, script) {
        (Some(path), _) if !is_there(path) => missing("server.entry_point", path),
        (_, Some(path)) if !is_there(path) => missing("server.mcp_config.args", &inner(path)),
        _ => Ok(()),
    }
}

/// A path in the archive, as the archive has it.
fn inner(path: &str) -> String {
    let path = path.strip_prefix(DIRNAME).unwrap_or(path).replace("${/}", "/").replace("${pathSeparator}", "/");
    path.split('/').filter(|part| !matches!(*part, "" | ".")).collect::<Vec<_>>().join("/")
}

/// What is started: a program of PATH, or one of the bundle.
fn program(
    command: &str,
    kind: &str,
    (entries, folder): (&[ZipEntry<'_>], Option<&'static str>),
    remarks: &mut Vec<SafeText>,
) -> Result<String, McpbError> {
    let Some(path) = command.strip_prefix(DIRNAME).map(inner) else {
        if command.contains(['/', '\\', '$']) {
            let command = SafeText::quoted(command);
            return Err(McpbError::manifest(format!(
                "`server.mcp_config.command` is `{command}`: expected a name, or a path that begins with ${{__dirname}}"
            )));
        }
        if kind == "python" && command == "python" {
            remarks.push(SafeText::new("it is started with `python3`: many systems have no `python`"));
            return Ok("python3".to_owned());
        }
        return Ok(command.to_owned());
    };
    match entries.iter().find(|entry| entry.name == path && !entry.is_folder) {
        None => {
            Err(McpbError::manifest(format!("what is started is `{}`, which is not in it", SafeText::quoted(&path))))
        }
        Some(entry) if !entry.is_executable => Err(McpbError::unfit(format!(
            "what is started is `{}`, and the archive does not say that it is executable",
            SafeText::quoted(&path)
        ))),
        // Without a folder before it, a name could be one of PATH.
        Some(_) => Ok(format!("{}/{path}", folder.unwrap_or("."))),
    }
}

/// What a client would ask its user for, as variables.
struct AskedVariables {
    /// For our manifest, by their names.
    variables: Map<String, Value>,
    /// The name of each, by its key.
    names: BTreeMap<String, String>,
    /// Keys that neither an argument nor a variable has.
    unused: Vec<String>,
}

impl AskedVariables {
    fn of(asked: &Map<String, Value>, args: &[String], env: &BTreeMap<String, String>) -> Result<Self, McpbError> {
        let mut found = Self { variables: Map::new(), names: BTreeMap::new(), unused: Vec::new() };
        for (key, about) in asked {
            let Value::Object(about) = about else {
                return Err(McpbError::manifest(format!("`user_config.{}` is no object", SafeText::quoted(key))));
            };
            let placeholder = placeholder(key);
            if !args.iter().chain(env.values()).any(|text| text.contains(&placeholder)) {
                found.unused.push(SafeText::quoted(key).to_string());
                continue;
            }
            let handed = env.iter().find(|(name, value)| **value == placeholder && is_free(name));
            let name = handed.map_or_else(|| called_after(key), |(name, _)| name.clone());
            if found.variables.contains_key(&name) || handed.is_none() && env.contains_key(&name) {
                return Err(McpbError::unfit(format!("two things that it asks for would be the variable {name}")));
            }
            found.variables.insert(name.clone(), described(about));
            found.names.insert(key.clone(), name);
        }
        Ok(found)
    }

    /// Whether a variable of the manifest is nothing but what the user sets under the same name.
    fn is_passed(&self, name: &str, value: &str) -> bool {
        self.names.iter().any(|(key, variable)| variable == name && *value == placeholder(key))
    }

    /// A text with our placeholders in place of the format's.
    fn fill(&self, text: &str) -> String {
        let mut filled = places(text);
        for (key, variable) in &self.names {
            filled = filled.replace(&placeholder(key), &format!("${{{variable}}}"));
        }
        filled
    }
}

/// How the format writes what the user was asked for.
fn placeholder(key: &str) -> String {
    format!("${{user_config.{key}}}")
}

/// A text with places of this machine: in the bundle, where the server is started, or below HOME.
fn places(text: &str) -> String {
    let text = text.replace("${/}", "/").replace("${pathSeparator}", "/");
    let text = match text.strip_prefix(DIRNAME) {
        Some("") => ".".to_owned(),
        Some(rest) => rest.strip_prefix('/').map_or_else(|| format!(".{rest}"), str::to_owned),
        None => text,
    };
    let text = text.replace(DIRNAME, ".");
    [("DESKTOP", "Desktop"), ("DOCUMENTS", "Documents"), ("DOWNLOADS", "Downloads")]
        .iter()
        .fold(text, |text, (word, folder)| text.replace(&format!("${{{word}}}"), &format!("{HOME}/{folder}")))
}

/// Whether a variable can be the user's to set.
fn is_free(name: &str) -> bool {
    !TAKEN_NAMES.contains(&name)
        && !name.starts_with("SMCP_")
        && !changes_code(name)
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The name of the variable for a key: `allowed_directories` is `ALLOWED_DIRECTORIES`.
fn called_after(key: &str) -> String {
    let letters =
        key.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' });
    let name: String = letters.collect();
    if is_free(&name) { name } else { format!("CONFIG_{name}") }
}

/// What our manifest says of a variable.
fn described(about: &Map<String, Value>) -> Value {
    let says = |key: &str| about.get(key).and_then(Value::as_bool).unwrap_or_default();
    let (required, list, secret) = (says("required"), says("multiple"), says("sensitive"));
    let default = match about.get("default") {
        None | Some(Value::Null | Value::Object(_)) => None,
        Some(Value::String(text)) => Some(places(text)),
        Some(list @ Value::Array(_)) => Some(places(&list.to_string())),
        Some(other @ (Value::Bool(_) | Value::Number(_))) => Some(other.to_string()),
    };
    let about = text(about, "description").or_else(|| text(about, "title"));
    let mut described = json!({});
    if let Value::Object(described) = &mut described {
        described.extend(about.map(|about| ("about".to_owned(), about.into())));
        described.extend((required && default.is_none()).then(|| ("required".to_owned(), true.into())));
        described.extend(default.map(|default| ("default".to_owned(), default.into())));
        described.extend(list.then(|| ("list".to_owned(), true.into())));
        described.extend(secret.then(|| ("secret".to_owned(), true.into())));
    }
    described
}

#[cfg(test)]
mod tests;
