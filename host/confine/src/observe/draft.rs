//! What was seen of a server, as a block of permissions.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use crate::asked::WILD;
use crate::grants::Grants;
use crate::grants::Right;
use crate::observe::seen::SeenServer;
use crate::observe::seen::SeenUses;
use smcp_model::draft::Draft;
use smcp_model::limits;
use smcp_model::manifest::Permissions;

/// What a draft is written on.
#[derive(Debug, Clone, Default)]
pub struct DraftGround {
    /// What a server with an empty block has that starts no program, and what one has that may.
    pub alone: Grants,
    /// The latter.
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

/// The ports of a host that is named without one.
const USUAL: [u16; 2] = [80, 443];
/// Where servers of names listen: a server that may reach hosts may ask for names.
const NAMES: u16 = 53;

impl SeenServer {
    /// Writes a draft of what was seen; `None` when the server never began. `hosts` are those that it reached, or was
    /// refused, in a network of its own.
    pub fn draft(&self, ground: &DraftGround, hosts: Vec<String>) -> Option<Draft> {
        let uses = self.uses();
        if !uses.begun {
            return None;
        }
        let subprocess = uses.forked || !uses.started.is_empty() || uses.refused.contains_key("programs and processes");
        let grants = if subprocess { &ground.with_programs } else { &ground.alone };
        let of_smcp = |path: &PathBuf| ground.kept.iter().any(|kept| path.starts_with(kept));
        let needed = |paths: &BTreeSet<PathBuf>, right| -> BTreeSet<PathBuf> {
            let own = |path: &Path| path.starts_with(&ground.bundle) || covers(grants, path, right);
            paths.iter().filter(|path| !own(path)).cloned().collect()
        };
        let (mut read, mut written) = (needed(&uses.read, Right::Read), needed(&uses.written, Right::Write));
        let kept: BTreeSet<_> = read.union(&written).filter(|path| of_smcp(path)).cloned().collect();
        read.retain(|path| !of_smcp(path));
        written.retain(|path| !of_smcp(path));
        // A file that is replaced by a new one is another file, and only its folder stays what it was.
        let lasting = |path: PathBuf| {
            path.ancestors().filter(|above| written.contains(*above)).last().map(Path::to_path_buf).unwrap_or(path)
        };
        let read: BTreeSet<_> = read.into_iter().map(lasting).collect();
        let mut remarks = Vec::new();
        let by_address = addresses(&uses);
        if !ground.own_network && !by_address.is_empty() {
            remarks.push("hosts are known by their addresses here, since a server can't have a network of its own: `smcp doctor`".to_owned());
        }
        let permissions = Permissions {
            network: if ground.own_network { hosts } else { by_address },
            filesystem_read: entries(&read, &uses, "read", &mut remarks),
            filesystem_write: entries(&written, &uses, "written to", &mut remarks),
            environment: ground.variables.clone(),
            subprocess,
        };
        let needed = NeededFiles { read, written, kept };
        needed.remark(&uses, ground, &mut remarks);
        remark(&uses, grants, subprocess, &mut remarks);
        Some(Draft { permissions, remarks })
    }
}

/// The files and folders that a server used beyond what everybody has.
struct NeededFiles {
    read: BTreeSet<PathBuf>,
    written: BTreeSet<PathBuf>,
    /// What smcp keeps.
    kept: BTreeSet<PathBuf>,
}

impl NeededFiles {
    /// Says what a block does not.
    fn remark(&self, uses: &SeenUses, ground: &DraftGround, remarks: &mut Vec<String>) {
        let mut about = |paths: Vec<&PathBuf>, before: &str, after: &str| {
            if !paths.is_empty() {
                let paths: Vec<_> = paths.into_iter().map(|path| shown(path, uses)).collect();
                remarks.push(format!("{before}{}{after}", listed(&paths)));
            }
        };
        let keys = |path: &&PathBuf| ground.keys.iter().any(|key| path.starts_with(key));
        about(self.kept.iter().collect(), "it wanted what smcp itself keeps, which is left out: ", "");
        about(self.read.union(&self.written).filter(keys).collect(), "it wanted what holds keys: ", "");
        let why = " in the home itself, where no block allows it: what is asked for has to be there before the start";
        about(self.written.intersection(&uses.in_home).collect(), "it made ", why);
        if let Some(held) = &ground.held {
            let why = ", since its manifest does not ask for it";
            for (paths, right, before) in [
                (&self.read, Right::Read, "it could not read "),
                (&self.written, Right::Write, "it could not write to "),
            ] {
                about(paths.iter().filter(|path| !covers(held, path, right)).collect(), before, why);
            }
        }
    }
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

/// The entries for these paths: few, and none that stands for what was not used at all.
fn entries(paths: &BTreeSet<PathBuf>, uses: &SeenUses, how: &str, remarks: &mut Vec<String>) -> Vec<String> {
    let too_much =
        |path: &Path| path.components().count() < 2 || uses.home.as_ref().is_some_and(|home| home.starts_with(path));
    let (wide, mut kept): (BTreeSet<_>, BTreeSet<_>) = paths.iter().cloned().partition(|path| too_much(path));
    if !wide.is_empty() {
        let wide: Vec<_> = wide.iter().map(|path| shown(path, uses)).collect();
        remarks
            .push(format!("{} was {how} itself, and is left out: it would stand for all that is in it", listed(&wide)));
    }
    let mut siblings = BTreeMap::<PathBuf, usize>::new();
    for folder in kept.iter().filter_map(|path| path.parent()) {
        *siblings.entry(folder.to_path_buf()).or_default() += 1;
    }
    let many = siblings.into_iter().filter(|(folder, count)| *count > limits::observe::SIBLINGS && !too_much(folder));
    kept.extend(many.map(|(folder, _)| folder));
    let patterns: Vec<_> = kept.iter().filter(|path| path.to_string_lossy().contains(WILD)).cloned().collect();
    for path in patterns {
        kept.remove(&path);
        let plain: PathBuf = path.iter().take_while(|name| !name.to_string_lossy().contains(WILD)).collect();
        kept.extend(Some(plain).filter(|plain| !too_much(plain)));
    }
    let inside = |path: &Path| path.ancestors().skip(1).any(|above| kept.contains(above));
    kept.iter().filter(|path| !inside(path)).map(|path| shown(path, uses)).collect()
}

/// A path as manifests have it.
fn shown(path: &Path, uses: &SeenUses) -> String {
    match uses.home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

fn listed(paths: &[String]) -> String {
    let first: Vec<_> = paths.iter().take(limits::observe::SHOWN).map(|path| format!("`{path}`")).collect();
    let more = paths.len().saturating_sub(first.len());
    if more == 0 { first.join(", ") } else { format!("{} and {more} more", first.join(", ")) }
}

fn addresses(uses: &SeenUses) -> Vec<String> {
    let entry = |address: &SocketAddr| {
        let host = match address {
            SocketAddr::V4(four) if !four.ip().is_loopback() => four.ip().to_string(),
            SocketAddr::V6(six) if !six.ip().is_loopback() => format!("[{}]", six.ip()),
            SocketAddr::V4(_) | SocketAddr::V6(_) => "localhost".to_owned(),
        };
        if USUAL.contains(&address.port()) { host } else { format!("{host}:{}", address.port()) }
    };
    // Without a port nothing is sent: the system is asked which way an address would be reached.
    let reached = uses.connected.iter().filter(|address| ![0, NAMES].contains(&address.port()));
    reached.map(entry).collect::<BTreeSet<_>>().into_iter().collect()
}

fn remark(uses: &SeenUses, grants: &Grants, subprocess: bool, remarks: &mut Vec<String>) {
    let started: Vec<_> = uses.started.iter().filter(|path| subprocess && !runs(grants, path)).collect();
    if !started.is_empty() {
        let started: Vec<_> = started.into_iter().map(|path| shown(path, uses)).collect();
        remarks.push(format!("it started {}, which no block allows: it is on no folder of PATH", listed(&started)));
    }
    if !uses.sockets.is_empty() {
        let sockets: Vec<_> = uses.sockets.iter().map(|path| shown(path, uses)).collect();
        remarks.push(format!(
            "it connected to {}: a socket of the session, which only `*` in `outbound` leaves open",
            listed(&sockets)
        ));
    }
    for (kind, count) in &uses.refused {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        remarks.push(format!("it was refused {kind}, {times}"));
    }
    if uses.incomplete {
        remarks.push(format!("it used more than {} paths: this is not all", limits::observe::PATHS));
    }
}

fn runs(grants: &Grants, path: &Path) -> bool {
    grants.list.iter().any(|grant| grant.right == Right::Run && path.starts_with(&grant.path))
}
