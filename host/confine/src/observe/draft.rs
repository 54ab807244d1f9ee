//! What was seen of a server, as a block of permissions.

use std::path::Path;
use std::path::PathBuf;

use crate::asked::WILD;
use crate::grants::Grants;
use crate::grants::Right;
use crate::observe::seen::CONNECTED;
use crate::observe::seen::IN_HOME;
use crate::observe::seen::PROGRAMS;
use crate::observe::seen::READ;
use crate::observe::seen::STARTED;
use crate::observe::seen::SeenServer;
use crate::observe::seen::SeenUses;
use crate::observe::seen::UsesByName;
use crate::observe::seen::WRITTEN;
use smcp_model::draft::Draft;
use smcp_model::host_entry::LOCALHOST;
use smcp_model::limits;
use smcp_model::manifest::Permissions;
use smcp_model::text::SafeText;

/// What a draft is written on.
#[derive(Debug, Clone, Default)]
pub struct DraftGround {
    /// What a server with an empty block has that starts no program.
    pub alone: Grants,
    /// What one has that may start programs.
    pub with_programs: Grants,
    /// What this one has been held to; `None` without a block, when it was held to nothing.
    pub held: Option<Grants>,
    /// Whether all that it reached of the network led to smcp.
    pub own_network: bool,
    /// The user's keys.
    pub keys: Vec<PathBuf>,
    /// What smcp keeps, and what decides about the next start: nothing that a block should open.
    pub kept: Vec<PathBuf>,
    /// Its bundle.
    pub bundle: PathBuf,
    /// The variables that its manifest asks for.
    pub variables: Vec<String>,
}

impl SeenServer {
    /// Writes a draft of what was seen; `None` when the server never began. `hosts` are those that it reached, or was
    /// refused, in a network of its own.
    pub fn draft(&self, ground: &DraftGround, hosts: Vec<String>) -> Option<Draft> {
        if !self.has_begun() {
            return None;
        }
        let uses = self.uses();
        let subprocess = uses.forked || uses.refused.contains_key(PROGRAMS);
        let grants = if subprocess { &ground.with_programs } else { &ground.alone };
        let needed = NeededFiles::of(&uses, ground, grants);
        let mut remarks = Vec::new();
        let by_address: Vec<String> = uses.addresses.keys().cloned().collect();
        if !ground.own_network && !by_address.is_empty() {
            let why = "hosts are known by their addresses here, since a server can't have a network of its own: `smcp doctor`";
            remarks.push(why.to_owned());
        }
        let mut network = if ground.own_network { hosts } else { by_address };
        if network.is_empty() && uses.networked {
            // Without a host there are no sockets at all.
            network.push(LOCALHOST.to_owned());
            remarks.push(format!("it listened, or connected to itself, for which `{LOCALHOST}` stands"));
        }
        if network.len() >= limits::observe::HOSTS {
            remarks.push("this is not all: it reached so many hosts that `*` would stand for them".to_owned());
        }
        let permissions = Permissions {
            network,
            filesystem_read: entries(&needed.read, &uses, &ground.keys, "read", &mut remarks),
            filesystem_write: entries(&needed.written, &uses, &ground.keys, "written to", &mut remarks),
            environment: ground.variables.clone(),
            subprocess,
        };
        needed.remark(&uses, ground, &mut remarks);
        remark(&uses, grants, subprocess, &mut remarks);
        Some(Draft { permissions, remarks })
    }
}

/// The files and folders that a server used beyond what everybody has.
#[derive(Default)]
struct NeededFiles {
    read: UsesByName,
    written: UsesByName,
    /// What smcp keeps.
    kept: Vec<String>,
}

impl NeededFiles {
    fn of(uses: &SeenUses, ground: &DraftGround, grants: &Grants) -> Self {
        let (mut all_read, mut needed) = (Vec::new(), Self::default());
        for (path, used) in &uses.paths {
            let at = Path::new(path);
            let wants = |bit, right| used & bit != 0 && !at.starts_with(&ground.bundle) && !covers(grants, at, right);
            let (reads, writes) = (wants(READ, Right::Read), wants(WRITTEN, Right::Write));
            if (reads || writes) && is_in(at, &ground.kept) {
                needed.kept.push(path.clone());
                continue;
            }
            if writes {
                needed.written.insert(path.clone(), *used);
            }
            if reads {
                all_read.push(path);
            }
        }
        for path in all_read {
            // A file that is replaced by a new one is another file, and only its folder stays what it was.
            let lasting = Path::new(path)
                .ancestors()
                .filter_map(Path::to_str)
                .filter(|above| needed.written.contains_key(*above));
            needed.read.insert(lasting.last().unwrap_or(path).to_owned(), READ);
        }
        needed
    }

    /// Says what a block does not.
    fn remark(&self, uses: &SeenUses, ground: &DraftGround, remarks: &mut Vec<String>) {
        let mut about = |paths: &mut dyn Iterator<Item = &String>, before: &str, after: &str| {
            let paths: Vec<_> = paths.map(|path| shown(path, uses)).collect();
            if !paths.is_empty() {
                remarks.push(format!("{before}{}{after}", listed(&paths)));
            }
        };
        let keys = |path: &&String| is_in(Path::new(path), &ground.keys);
        about(&mut self.kept.iter(), "it wanted what smcp itself keeps, which is left out: ", "");
        about(&mut self.read.keys().filter(keys), "it wanted to read what holds keys: ", "");
        about(&mut self.written.keys().filter(keys), "it wanted to write to what holds keys: ", "");
        let made = self.written.iter().filter(|(_, used)| *used & IN_HOME != 0);
        let why = " in the home itself, or above it, where no block allows it: what is asked for has to be there before the start";
        about(&mut made.map(|(path, _)| path), "it made ", why);
        if let Some(held) = &ground.held {
            let why = ", since its manifest does not ask for it";
            for (paths, right, before) in [
                (&self.read, Right::Read, "it could not read "),
                (&self.written, Right::Write, "it could not write to "),
            ] {
                about(&mut paths.keys().filter(|path| !covers(held, Path::new(path), right)), before, why);
            }
        }
    }
}

fn is_in(path: &Path, folders: &[PathBuf]) -> bool {
    folders.iter().any(|folder| path.starts_with(folder))
}

/// Whether a path may be read, or written to, by one of these grants.
fn covers(grants: &Grants, path: &Path, right: Right) -> bool {
    grants.list.iter().any(|grant| {
        let does = match grant.right {
            Right::Run | Right::Read => right == Right::Read,
            Right::Write => right == Right::Write,
            Right::Device => true,
        };
        does && path.starts_with(&grant.path)
    })
}

/// The entries for these paths: few, and none that stands for what was not used at all, or for keys beside one that was.
fn entries(paths: &UsesByName, uses: &SeenUses, keys: &[PathBuf], how: &str, remarks: &mut Vec<String>) -> Vec<String> {
    let too_much =
        |path: &Path| path.components().count() < 2 || uses.home.as_ref().is_some_and(|home| home.starts_with(path));
    let widens = |folder: &Path| too_much(folder) || is_in(folder, keys);
    let (mut wide, mut kept, mut siblings) = (Vec::new(), UsesByName::new(), UsesByName::new());
    for path in paths.keys() {
        let at = Path::new(path);
        if too_much(at) {
            wide.push(shown(path, uses));
        } else if is_unnamable(path) {
            let plain: PathBuf = at.iter().take_while(|name| !is_unnamable(&name.to_string_lossy())).collect();
            kept.extend(plain.to_str().filter(|_| !widens(&plain)).map(|plain| (plain.to_owned(), 0)));
        } else {
            kept.insert(path.clone(), 0);
            if let Some(folder) = at.parent().filter(|folder| !widens(folder)).and_then(Path::to_str) {
                *siblings.entry(folder.to_owned()).or_default() += 1;
            }
        }
    }
    if !wide.is_empty() {
        let wide = listed(&wide);
        remarks.push(format!("{wide} was {how} itself, and is left out: it would stand for all that is in it"));
    }
    for (folder, count) in siblings {
        if count > limits::observe::SIBLINGS {
            kept.insert(folder, 0);
        }
    }
    let above =
        |path: &str| Path::new(path).ancestors().skip(1).filter_map(Path::to_str).any(|above| kept.contains_key(above));
    kept.keys().filter(|path| !above(path)).map(|path| shown(path, uses)).collect()
}

/// Whether a path would be a pattern in a manifest, or is not shown as it is.
fn is_unnamable(path: &str) -> bool {
    path.contains(WILD) || SafeText::new(path).as_str() != path
}

/// A path as manifests have it.
fn shown(path: &str, uses: &SeenUses) -> String {
    match uses.home.as_ref().and_then(|home| Path::new(path).strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.to_owned(),
    }
}

fn listed(paths: &[String]) -> String {
    let first: Vec<_> =
        paths.iter().take(limits::observe::SHOWN).map(|path| format!("`{}`", path.replace('`', "\\`"))).collect();
    let more = paths.len().saturating_sub(first.len());
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

fn remark(uses: &SeenUses, grants: &Grants, subprocess: bool, remarks: &mut Vec<String>) {
    let of_kind = |kind: u64| uses.paths.iter().filter(move |(_, used)| *used & kind != 0).map(|(path, _)| path);
    let foreign = of_kind(STARTED).filter(|path| subprocess && !runs(grants, Path::new(path)));
    let started: Vec<_> = foreign.map(|path| shown(path, uses)).collect();
    if !started.is_empty() {
        remarks.push(format!("it started {}, which no block allows: it is on no folder of PATH", listed(&started)));
    }
    let sockets: Vec<_> = of_kind(CONNECTED).map(|path| shown(path, uses)).collect();
    if !sockets.is_empty() {
        remarks.push(format!("it connected to {}: sockets with a path take `*` in `outbound`", listed(&sockets)));
    }
    for (kind, count) in &uses.refused {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        remarks.push(format!("it was refused {kind}, {times}"));
    }
    if uses.unseen {
        let who = "one of its processes, or `sysctl kernel.yama.ptrace_scope`";
        remarks.push(format!("this is not all: {who}, forbids to look at it"));
    }
    if uses.incomplete {
        let most = limits::observe::PATHS;
        remarks.push(format!("this is not all: it used more than {most} paths, or some that are no text"));
    }
}

fn runs(grants: &Grants, path: &Path) -> bool {
    grants.list.iter().any(|grant| grant.right == Right::Run && path.starts_with(&grant.path))
}
