//! What a server may reach of the files: what is granted, and nothing else.
//!
//! Pure, but for the questions about paths that the caller answers. The kernel knows grants alone: what lies in a granted
//! folder can't be taken out of it. So a folder that holds something protected (the user's keys, smcp's own files) is
//! granted entry by entry, without it.

mod prefix;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

use crate::asked::AskedPath;
use smcp_model::manifest::Permissions;

/// What a server may do with a file, or with all below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Read it, and start it as a program.
    Run,
    /// Read it.
    Read,
    /// Write, make, rename and remove.
    Write,
    /// Read and write it, and whatever programs do with devices.
    Device,
}

impl Right {
    /// The word that people are shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Read => "read",
            Self::Write => "write",
            Self::Device => "use",
        }
    }
}

/// One file or folder, and what may be done with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileGrant {
    /// Its path, without a link.
    pub path: PathBuf,
    /// What may be done.
    pub right: Right,
}

/// Answers questions about paths.
#[derive(Debug, Clone, Copy)]
pub struct FileView {
    /// The real path, with links followed; `None` when there is nothing.
    pub resolve: fn(&Path) -> Option<PathBuf>,
    /// The names in a folder.
    pub names: fn(&Path) -> Vec<OsString>,
}

/// The machine, as far as grants depend on it.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The user's home.
    pub home: Option<PathBuf>,
    /// What smcp itself keeps or goes by outside of `~/.mcp`: the cache, the audit log, rules, a registry.
    pub kept: Vec<PathBuf>,
    /// The folders that are the server's own: its state, its temporary files.
    pub own: Vec<PathBuf>,
    /// Looks at paths.
    pub view: FileView,
}

/// All that a server may reach, beside its bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Each with what may be done.
    pub list: Vec<FileGrant>,
}

/// Where systems have programs, libraries and their settings.
const RUNTIME: [&str; 11] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix/store", "/gnu/store"];

/// Devices that are nobody's. What is typed on a terminal is the user's.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// What runtimes read of the machine. A server's own folder in `/proc` comes with [`crate::Locks`]. `resolv.conf` often is a link to a file that services write.
const MACHINE: [&str; 13] = [
    "/proc/cpuinfo",
    "/proc/filesystems",
    "/proc/loadavg",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/sys",
    "/proc/uptime",
    "/proc/version",
    "/sys/devices/system",
    "/sys/fs/cgroup",
    "/sys/kernel/mm",
    "/etc/resolv.conf",
    "/var/lib/ca-certificates",
];

/// Where the children of a server find themselves; none of these folders has a name yet. It shows names and arguments of
/// other processes, and the kernel shows nothing else of them to who is confined.
const PROCESSES: &str = "/proc";

/// What programs that start others share memory in.
const SHARED_MEMORY: &str = "/dev/shm";

/// What is granted by its own name alone, relative to the home: keys, and all that a browser knows.
const PROTECTED: [&str; 12] = [
    ".ssh",
    ".mcp",
    ".gnupg",
    ".password-store",
    ".local/share/keyrings",
    ".mozilla",
    ".config/google-chrome",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".config/vivaldi",
    ".config/opera",
];

impl Grants {
    /// Plans what a server with these permissions may reach, that is started by these programs: the one of its manifest,
    /// and the interpreters of that. Where it may start others, those on `search_path` can be started.
    pub fn of(
        permissions: &Permissions,
        programs: &[PathBuf],
        search_path: Option<&OsStr>,
        surroundings: &Surroundings,
    ) -> Self {
        let Surroundings { home, kept: _, own, view } = surroundings;
        let mut grants = Self::default();
        for (paths, right) in
            [(RUNTIME.as_slice(), Right::Run), (DEVICES.as_slice(), Right::Device), (MACHINE.as_slice(), Right::Read)]
        {
            paths.iter().for_each(|path| grants.add(Path::new(path), right, *view));
        }
        if permissions.subprocess {
            for right in [Right::Read, Right::Write] {
                grants.add(Path::new(SHARED_MEMORY), right, *view);
            }
            grants.add(Path::new(PROCESSES), Right::Read, *view);
        }
        let folders = search_path.filter(|_| permissions.subprocess).map(std::env::split_paths).into_iter().flatten();
        for folder in folders.filter(|folder| folder.is_absolute()) {
            if !home.as_ref().is_some_and(|home| home.starts_with(&folder)) {
                grants.add(&folder, Right::Run, *view);
            }
        }
        for prefix in prefix::of(programs, home.as_deref(), view.resolve) {
            grants.add(&prefix, Right::Run, *view);
        }
        for path in own {
            for right in [if permissions.subprocess { Right::Run } else { Right::Read }, Right::Write] {
                grants.add(path, right, *view);
            }
        }
        let wishes = Wishes { permissions, surroundings, protected: protected(surroundings) };
        for (list, right) in
            [(&permissions.filesystem_read, Right::Read), (&permissions.filesystem_write, Right::Write)]
        {
            list.iter().for_each(|text| wishes.grant(text, right, &mut grants));
        }
        grants.list.sort_by(|one, other| (&one.path, one.right).cmp(&(&other.path, other.right)));
        grants.list.dedup();
        grants
    }

    fn add(&mut self, path: &Path, right: Right, view: FileView) {
        self.list.extend((view.resolve)(path).map(|path| FileGrant { path, right }));
    }
}

/// What is granted by its own name alone.
struct Protected {
    /// As it is called.
    named: PathBuf,
    /// Where it is.
    real: PathBuf,
}

fn protected(surroundings: &Surroundings) -> Vec<Protected> {
    let Surroundings { home, kept, own: _, view } = surroundings;
    let in_home = home.iter().flat_map(|home| PROTECTED.map(|name| home.join(name)));
    let all = in_home.chain(kept.iter().cloned());
    // What isn't there yet may be made: at its name in the real home.
    let real =
        |path: &Path| (view.resolve)(path).or_else(|| Some((view.resolve)(path.parent()?)?.join(path.file_name()?)));
    all.map(|named| Protected { real: real(&named).unwrap_or_else(|| named.clone()), named }).collect()
}

/// The lists of a manifest.
struct Wishes<'a> {
    permissions: &'a Permissions,
    surroundings: &'a Surroundings,
    protected: Vec<Protected>,
}

impl Wishes<'_> {
    /// Grants what an entry stands for, but not what it only happens to lead to.
    fn grant(&self, text: &str, right: Right, grants: &mut Grants) {
        let Surroundings { home, view, .. } = self.surroundings;
        let Some(named) = AskedPath::of(text, home.as_deref()).path else { return };
        let Some(real) = (view.resolve)(&named) else { return };
        if self.may_have_been_planted(&named, &real) {
            return;
        }
        let holds = |protected: &&Protected| real.starts_with(&protected.real);
        if self.protected.iter().find(holds).is_some_and(|protected| !named.starts_with(&protected.named)) {
            return;
        }
        self.spread(&real, right, grants);
    }

    /// Whether the server itself could have made an entry of its manifest lead elsewhere, by a link in a folder that it
    /// may write to, asked for or not.
    fn may_have_been_planted(&self, named: &Path, real: &Path) -> bool {
        let Surroundings { home, view, own, .. } = self.surroundings;
        let writable = self.permissions.filesystem_write.iter();
        let writable = writable.filter_map(|text| AskedPath::of(text, home.as_deref()).path).chain(own.iter().cloned());
        let writable = writable.chain([PathBuf::from(SHARED_MEMORY)]);
        let leads_out = |folder: PathBuf| {
            let below = named.starts_with(&folder) && named != folder;
            below && !(view.resolve)(&folder).is_some_and(|folder| real.starts_with(folder))
        };
        writable.into_iter().any(leads_out)
    }

    /// Grants a folder; one that holds something protected entry by entry.
    fn spread(&self, path: &Path, right: Right, grants: &mut Grants) {
        let inside = |protected: &Protected| protected.real.starts_with(path) && protected.real != path;
        if !self.protected.iter().any(inside) {
            grants.list.push(FileGrant { path: path.to_path_buf(), right });
            return;
        }
        for name in (self.surroundings.view.names)(path) {
            let entry = path.join(name);
            let itself = self.protected.iter().any(|protected| protected.real == entry);
            // A link leads to what was not asked for, or is granted where it is.
            let is_link = || (self.surroundings.view.resolve)(&entry).is_none_or(|real| real != entry);
            if !itself && !is_link() {
                self.spread(&entry, right, grants);
            }
        }
    }
}

#[cfg(test)]
mod tests;
