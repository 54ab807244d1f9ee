//! Whether managed settings let clients start servers past smcp.

use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use clap::ValueEnum as _;
use serde_json::Value;

use crate::cli::app::App;
use crate::cli::client::managed::Lockdown;
use crate::cli::client::managed::ManagedClient;
use crate::cli::client::managed::add;
use crate::cli::client::managed::is_through_smcp;
use crate::cli::client::place::Folders;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedNames;
use smcp_authority::ReadError;
use smcp_model::diagnosis::Check;
use smcp_model::diagnosis::Health;
use smcp_model::limits;
use smcp_model::ownership::Owners;

/// The name of these checks.
const NAME: &str = "managed";
/// What to do where settings do less than they seem to.
const ADVICE: &str =
    "`smcp mcp-config --managed` prints settings under which a client starts given lines of smcp alone";

/// Checks the managed settings of every client that has some; one check says so where none has.
pub(super) fn checks(app: &App) -> Vec<Check> {
    let folders = Folders::of(app);
    let clients = ManagedClient::value_variants();
    let checks: Vec<_> = clients.iter().filter_map(|client| check(*client, &folders)).collect();
    if checks.is_empty() {
        let message = "no managed settings bind a client of this machine to smcp: each starts what its files say";
        return vec![Check::new(NAME, Health::Ok, message)];
    }
    checks
}

/// Returns the settings of a client from all its files, and the names of these; `None` when there are none.
fn settings(client: ManagedClient, folders: &Folders) -> Result<Option<(Value, String)>, String> {
    let Some(file) = client.file(folders) else { return Ok(None) };
    let added = drop_ins(client, folders)?;
    let mut found: Option<(Value, String)> = None;
    for path in std::iter::once(&file).chain(&added) {
        let Guarded { bytes, suspects } = authority::read_guarded(path, limits::MANIFEST, Folder::Any, Owners::Root);
        let shown = path.display();
        let text = match bytes.map(String::from_utf8) {
            Ok(Ok(text)) => text,
            Ok(Err(_)) => return Err(format!("{shown} is not UTF-8 text")),
            Err(error) if error.is_missing() => continue,
            // A folder of that name is none of the files.
            Err(ReadError::NotAFile) if *path != file => continue,
            Err(error) => return Err(format!("{shown} can't be read: {error}")),
        };
        if let Some(suspect) = suspects.first() {
            return Err(format!("its managed settings bind nobody: {suspect}"));
        }
        let document = client.document(&text).map_err(|why| format!("{shown} binds nobody: {why}"))?;
        match &mut found {
            None => found = Some((document, shown.to_string())),
            Some((settings, names)) => {
                add(settings, document);
                names.push_str(&format!(" with {shown}"));
            }
        }
    }
    Ok(found)
}

/// Returns the files beside the one with a client's settings, in the order in which they are added to it.
fn drop_ins(client: ManagedClient, folders: &Folders) -> Result<Vec<PathBuf>, String> {
    let Some(folder) = client.drop_ins(folders) else { return Ok(Vec::new()) };
    let unread = |error: io::Error| format!("{} can't be read: {error}", folder.display());
    if !authority::exists(&folder).map_err(unread)? {
        return Ok(Vec::new());
    }
    let GuardedNames { names, suspects } = authority::names_guarded(&folder, Folder::Any, Owners::Root);
    if let Some(suspect) = suspects.first() {
        return Err(format!("others may add to its managed settings: {suspect}"));
    }
    let mut names = names.map_err(unread)?;
    names.retain(|name| name.as_bytes().ends_with(b".json") && !name.as_bytes().starts_with(b"."));
    names.sort();
    Ok(names.into_iter().map(|name| folder.join(name)).collect())
}

/// Checks the settings of one client; `None` when it has none.
fn check(client: ManagedClient, folders: &Folders) -> Option<Check> {
    let name = client.client().profile().name;
    let warning = |what: &str| Some(Check::new(NAME, Health::Warning, format!("{name}: {what}")).advice(ADVICE));
    let (settings, file) = match settings(client, folders) {
        Ok(found) => found?,
        Err(why) => return warning(&why),
    };
    match client.lockdown(&settings) {
        Err(why) => warning(&format!("{file} binds nobody: {why}")),
        Ok(Lockdown::Silent) => warning(&format!("{file} says nothing about servers")),
        Ok(Lockdown::Loose(why)) => warning(&format!("{file} lets it start servers past smcp: {why}")),
        Ok(Lockdown::Only(lines)) if !lines.iter().all(|line| is_through_smcp(line)) => {
            warning(&format!("{file} lets it start what is not smcp"))
        }
        Ok(Lockdown::Only(lines)) => {
            let what = match lines.len() {
                0 => "no server at all".to_owned(),
                1 => "1 line of smcp and no other server".to_owned(),
                more => format!("{more} lines of smcp and no other server"),
            };
            Some(Check::new(NAME, Health::Ok, format!("{name} starts {what}, by {file}")))
        }
    }
}
