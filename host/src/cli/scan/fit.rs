//! Whether a server can be put behind smcp whatever its package is.

use crate::cli::app::App;
use crate::cli::client::EXTENSION;
use crate::cli::client::line::SmcpLine;
use crate::cli::client::merge::ClientCommand;
use crate::cli::client::merge::FileFormat;
use crate::cli::failure::Failure;
use crate::cli::scan::ServerFile;
use crate::cli::scan::entry::ClientStart;
use crate::cli::scan::package::PackagedLine;
use crate::cli::scan::read;
use crate::cli::scan::read::FoundServer;
use crate::cli::scan::shown;
use crate::cli::scan::sort;
use smcp_model::code_variable::changes_code;
use smcp_model::scan::Scope;
use smcp_model::text::SafeText;

/// Returns why a server can't be put behind smcp whatever its package is.
pub(super) fn unfit(
    file: &ServerFile,
    server: &FoundServer,
    words: &[String],
    variables: &[String],
    has_file: bool,
) -> Option<String> {
    if file.row.scope() == Scope::Managed || file.row.sections == EXTENSION {
        return Some("the file is not yours to change by hand".to_owned());
    }
    if read::is_line(server) {
        return Some("it is a whole line in its settings, and no program".to_owned());
    }
    if matches!(file.row.format, FileFormat::Yaml | FileFormat::Markdown) {
        return Some("smcp changes no YAML, because it could not keep comments and layout".to_owned());
    }
    if shown::whole_line(words).is_some() {
        return Some("its `command` is a whole line, and no program".to_owned());
    }
    if has_file {
        return Some("its `envFile` has variables that smcp does not know to pass on".to_owned());
    }
    // A package starts in the folder of its bundle.
    if server.entry.get("cwd").is_some_and(|folder| !folder.is_null()) {
        return Some("its `cwd` would not be the folder that it starts in".to_owned());
    }
    if words.iter().skip(1).any(|word| is_relative(word)) {
        return Some("an argument is a path below the folder that it starts in, which would be another".to_owned());
    }
    let is_name = |name: &&String| !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    if let Some(name) = variables.iter().find(|name| !is_name(name)) {
        return Some(format!("it has a variable with the name `{}`", SafeText::quoted_value(name)));
    }
    if let Some(name) = variables.iter().find(|name| changes_code(name)) {
        return Some(sort::code_changed(name));
    }
    if let Some(name) = variables.iter().find(|name| name.starts_with("SMCP_")) {
        return Some(format!("the variable {} would change smcp itself", SafeText::quoted_value(name)));
    }
    None
}

/// Whether an argument, or the value of an option, is the path of something in the folder that a server starts in.
fn is_relative(word: &str) -> bool {
    let path = word.split_once('=').map_or(word, |(_, value)| value);
    [".", ".."].contains(&path) || path.starts_with("./") || path.starts_with("../")
}

/// Whether a file has a server that can be put behind smcp, as far as its words tell.
pub(super) fn is_wrappable(file: &ServerFile) -> bool {
    let fits = |server: &FoundServer| match ClientStart::of(&server.entry) {
        ClientStart::Command { words, variables, has_file, .. } if server.off.is_none() => {
            let variables: Vec<_> = variables.into_iter().map(|(name, _)| name).collect();
            PackagedLine::of(&words).is_ok() && unfit(file, server, &words, &variables, has_file).is_none()
        }
        ClientStart::Command { .. } | ClientStart::Url(_) | ClientStart::BuiltIn(_) | ClientStart::Unknown(_) => false,
    };
    file.content.as_ref().is_ok_and(|(_, servers)| servers.iter().any(fits))
}

/// Returns why the place of a server takes no line of smcp.
pub(super) fn obstacle(app: &App, file: &ServerFile, server: &FoundServer) -> Result<Option<String>, Failure> {
    let own = SmcpLine::of(app, &[], "")?;
    if let Err(failure) = own.check_expansion(&file.profile) {
        return Ok(Some(failure.message().lines().next().unwrap_or_default().to_owned()));
    }
    // Whether the layout takes another command does not depend on its words.
    let command = ClientCommand { program: own.program, args: own.args };
    let text = file.content.as_ref().map_or("", |(text, _)| text);
    Ok(file.row.format.rewrite(text, &server.keys, &command).err().map(|error| error.to_string()))
}
