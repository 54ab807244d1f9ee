//! What a server may reach of the files: what is granted, and nothing else.
//!
//! Pure, but for the questions about paths that the caller answers. The kernel knows grants alone: what lies in a granted
//! folder can't be taken out of it. So a folder that holds something protected (the user's keys, smcp's own files) is
//! granted entry by entry, without it.

mod mounts;
mod prefix;
mod protected;
mod walk;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

use crate::asked::AskedPath;
pub use crate::grants::mounts::Mount;
use crate::grants::protected::Protected;
use crate::grants::protected::ProtectedKind;
use crate::grants::walk::Walked;
use crate::grants::walk::walk;
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
    /// What a link leads to; `None` for anything else.
    pub target: fn(&Path) -> Option<PathBuf>,
    /// Whether the user, and so none of his servers, can't change what is in a folder.
    pub settled: fn(&Path) -> bool,
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
    /// What rules name, and smcp itself: who could write it would decide what starts next.
    pub ruling: Vec<PathBuf>,
    /// The folders that are the server's own: its state, its temporary files.
    pub own: Vec<PathBuf>,
    /// What is mounted where.
    pub mounts: Vec<Mount>,
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

/// Where smcp keeps what is its own; relative to the home.
const OWN: &str = ".mcp";

/// What programs that start others share memory in.
const SHARED_MEMORY: &str = "/dev/shm";

impl Grants {
    /// Plans what a server with these permissions may reach, that is started by these programs: the one of its manifest,
    /// and the interpreters of that. Where it may start others, those on `search_path` can be started.
    pub fn of(
        permissions: &Permissions,
        programs: &[PathBuf],
        search_path: Option<&OsStr>,
        surroundings: &Surroundings,
    ) -> Self {
        let Surroundings { home, own, view, .. } = surroundings;
        let mut plan = GrantPlan {
            surroundings,
            home: home.as_deref().and_then(view.resolve),
            protected: protected::all(surroundings, search_path),
            list: Vec::new(),
        };
        for (paths, right) in [(DEVICES.as_slice(), Right::Device), (MACHINE.as_slice(), Right::Read)] {
            paths.iter().for_each(|path| plan.add(Path::new(path), right));
        }
        if permissions.subprocess {
            for right in [Right::Read, Right::Write] {
                plan.add(Path::new(SHARED_MEMORY), right);
            }
            plan.add(Path::new(PROCESSES), Right::Read);
        }
        for path in own {
            for right in [if permissions.subprocess { Right::Run } else { Right::Read }, Right::Write] {
                plan.add(path, right);
            }
        }
        RUNTIME.iter().for_each(|path| plan.run(Path::new(path), ProtectedKind::Key));
        let folders = search_path.filter(|_| permissions.subprocess).map(std::env::split_paths).into_iter().flatten();
        let folders = folders.filter(|folder| folder.is_absolute());
        let folders = folders.filter(|folder| !plan.is_protected(folder));
        // A program that is found by what this process has open, or is in, is another one for the server.
        let programs: Vec<_> = programs.iter().filter(|program| !walk::through_kernel(program, view.target)).collect();
        let installed = prefix::of(&programs, home.as_deref(), view.resolve, |path| plan.is_in_protected(path));
        for folder in folders.chain(installed).collect::<Vec<_>>() {
            plan.run(&folder, ProtectedKind::Kept);
        }
        for (list, right) in
            [(&permissions.filesystem_read, Right::Read), (&permissions.filesystem_write, Right::Write)]
        {
            list.iter().for_each(|text| plan.grant(text, right));
        }
        let GrantPlan { list, .. } = plan;
        Self { list }.sorted()
    }

    /// Adds programs alone, and not what is installed with them.
    #[must_use]
    pub fn and_programs(mut self, programs: &[PathBuf], surroundings: &Surroundings) -> Self {
        let FileView { resolve, target, .. } = surroundings.view;
        let programs = programs.iter().filter(|program| !walk::through_kernel(program, target));
        self.list
            .extend(programs.filter_map(|program| resolve(program)).map(|path| FileGrant { path, right: Right::Run }));
        self.sorted()
    }

    fn sorted(mut self) -> Self {
        self.list.sort_by(|one, other| (&one.path, one.right).cmp(&(&other.path, other.right)));
        self.list.dedup();
        self
    }
}

/// The user's keys, each where it is.
pub fn keys(surroundings: &Surroundings) -> Vec<PathBuf> {
    let keys = reals(surroundings, |kind| kind == ProtectedKind::Key);
    let home = surroundings.home.as_ref().and_then(|home| (surroundings.view.resolve)(home));
    keys.into_iter().filter(|key| home.as_ref().is_some_and(|home| key.starts_with(home))).collect()
}

/// What smcp keeps and goes by, each where it is.
pub fn kept(surroundings: &Surroundings) -> Vec<PathBuf> {
    let own = surroundings.home.as_ref().and_then(|home| (surroundings.view.resolve)(&home.join(OWN)));
    let rest = reals(surroundings, |kind| matches!(kind, ProtectedKind::Kept | ProtectedKind::Ruling));
    own.into_iter().chain(rest).collect()
}

fn reals(surroundings: &Surroundings, wanted: impl Fn(ProtectedKind) -> bool) -> Vec<PathBuf> {
    let all = protected::all(surroundings, None).into_iter();
    all.filter(|protected| wanted(protected.kind)).map(|protected| protected.real).collect()
}

/// Grants that are being made.
struct GrantPlan<'a> {
    surroundings: &'a Surroundings,
    /// The home, without a link.
    home: Option<PathBuf>,
    protected: Vec<Protected>,
    list: Vec<FileGrant>,
}

impl GrantPlan<'_> {
    /// Grants what smcp itself has chosen.
    fn add(&mut self, path: &Path, right: Right) {
        self.list.extend((self.surroundings.view.resolve)(path).map(|path| FileGrant { path, right }));
    }

    /// Whether a folder itself is what is granted by its own name alone.
    fn is_protected(&self, path: &Path) -> bool {
        let real = (self.surroundings.view.resolve)(path);
        self.protected.iter().any(|one| one.kind <= ProtectedKind::Kept && real.as_ref() == Some(&one.real))
    }

    /// Whether a path without a link leads into that.
    fn is_in_protected(&self, real: &Path) -> bool {
        self.protected.iter().any(|one| one.kind <= ProtectedKind::Kept && real.starts_with(&one.real))
    }

    /// Has programs of a folder started, but of none that holds the home for the user's sake.
    fn run(&mut self, path: &Path, kind: ProtectedKind) {
        let Some(real) = (self.surroundings.view.resolve)(path) else { return };
        if kind == ProtectedKind::Key || !self.home.as_ref().is_some_and(|home| home.starts_with(&real)) {
            self.spread(&real, Right::Run, kind);
        }
    }

    /// Grants what an entry of the manifest stands for, but not what it only happens to lead to.
    fn grant(&mut self, text: &str, right: Right) {
        let Surroundings { home, view, .. } = self.surroundings;
        let Some(named) = AskedPath::of(text, home.as_deref()).path else { return };
        let Some(Walked { real, links }) = walk(&named, view.target) else { return };
        if (view.resolve)(&real).as_ref() != Some(&real) || links.iter().any(|link| self.may_be_planted(link, &real)) {
            return;
        }
        let kind = match right {
            Right::Write if self.home.as_ref().is_some_and(|home| home.starts_with(&real)) => ProtectedKind::Start,
            Right::Write => ProtectedKind::Ruling,
            Right::Run | Right::Read | Right::Device => ProtectedKind::Kept,
        };
        let refused = |protected: &Protected| {
            let holds = protected.kind <= kind && real.starts_with(&protected.real);
            holds && !named.starts_with(&protected.named)
        };
        if !self.protected.iter().any(refused) {
            self.spread(&real, right, kind);
        }
    }

    /// Whether a server of an earlier start could have made a link that leads to `real`. None is let write to a folder that
    /// holds keys, and so to the home itself.
    fn may_be_planted(&self, link: &Path, real: &Path) -> bool {
        if let Some(folder) = protected::of_kernel(link) {
            return !real.starts_with(folder);
        }
        let Some(folder) = link.parent() else { return true };
        let holds_keys =
            self.protected.iter().any(|one| one.kind == ProtectedKind::Key && one.real.starts_with(folder));
        !holds_keys && !(self.surroundings.view.settled)(folder)
    }

    /// Grants a folder; one that holds something protected entry by entry.
    fn spread(&mut self, path: &Path, right: Right, kind: ProtectedKind) {
        let counts = |protected: &&Protected| protected.kind <= kind;
        // What is granted at one place where a folder is mounted is granted at all of them.
        let mut places = mounts::others(path, &self.surroundings.mounts);
        places.push(path.to_path_buf());
        let holds = |place: &PathBuf, real: &Path| real.starts_with(place) && real != place;
        let inside = |protected: &Protected| places.iter().any(|place| holds(place, &protected.real));
        if !self.protected.iter().filter(counts).any(inside) {
            self.list.push(FileGrant { path: path.to_path_buf(), right });
            return;
        }
        for name in (self.surroundings.view.names)(path) {
            let entry = path.join(name);
            let itself = self.protected.iter().filter(counts).any(|protected| protected.real == entry);
            // A link leads to what was not asked for, or is granted where it is.
            let is_link = || (self.surroundings.view.resolve)(&entry).is_none_or(|real| real != entry);
            if !itself && !is_link() {
                self.spread(&entry, right, kind);
            }
        }
    }
}

#[cfg(test)]
mod tests;
