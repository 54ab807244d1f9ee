//! Whether managed settings let clients start servers past smcp.

use clap::ValueEnum as _;

use crate::cli::app::App;
use crate::cli::client::managed::Lockdown;
use crate::cli::client::managed::ManagedClient;
use crate::cli::client::managed::is_through_smcp;
use crate::cli::client::place::Folders;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
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

/// Checks the settings of one client; `None` when it has none.
fn check(client: ManagedClient, folders: &Folders) -> Option<Check> {
    let name = client.client().profile().name;
    let path = client.file(folders)?;
    let Guarded { bytes, suspects } = authority::read_guarded(&path, limits::MANIFEST, Folder::Any, Owners::Root);
    let warning = |what: &str| Some(Check::new(NAME, Health::Warning, format!("{name}: {what}")).advice(ADVICE));
    let text = match bytes.map(String::from_utf8) {
        Ok(Ok(text)) => text,
        Ok(Err(_)) => return warning(&format!("{} is not UTF-8 text", path.display())),
        Err(ReadError::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => return warning(&format!("{} can't be read: {error}", path.display())),
    };
    if let Some(suspect) = suspects.first() {
        return warning(&format!("its managed settings bind nobody: {suspect}"));
    }
    let file = path.display();
    match client.lockdown(&text) {
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
