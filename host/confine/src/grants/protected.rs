//! What is granted by its own name alone, and not with a folder that holds it.

use std::ffi::OsStr;
use std::path::Path;
use std::path::PathBuf;

use crate::grants::Surroundings;
use crate::grants::mounts::others;
use crate::grants::walk::walk;

/// Keys, and all that a browser knows; relative to the home.
const KEYS: [&str; 41] = [
    ".ssh",
    ".mcp",
    ".gnupg",
    ".password-store",
    ".pki",
    ".aws",
    ".azure",
    ".kube",
    ".docker",
    ".cargo/credentials",
    ".cargo/credentials.toml",
    ".netrc",
    ".git-credentials",
    ".config/gcloud",
    ".config/gh",
    ".local/share/keyrings",
    ".local/share/kwalletd",
    // Profiles of browsers, and of mail.
    ".mozilla",
    ".config/mozilla",
    ".librewolf",
    ".waterfox",
    ".floorp",
    ".zen",
    ".thunderbird",
    ".local/share/torbrowser",
    ".config/google-chrome",
    ".config/google-chrome-beta",
    ".config/google-chrome-unstable",
    ".config/chromium",
    ".config/BraveSoftware",
    ".config/microsoft-edge",
    ".config/microsoft-edge-beta",
    ".config/microsoft-edge-dev",
    ".config/vivaldi",
    ".config/vivaldi-snapshot",
    ".config/opera",
    ".config/yandex-browser",
    ".local/share/qutebrowser",
    ".local/share/epiphany",
    // What programs have that are installed by snap and flatpak, browsers above all.
    "snap",
    ".var/app",
];

/// What starts with the user's session or shell; relative to the home.
const STARTS: [&str; 15] = [
    ".bashrc",
    ".bash_profile",
    ".bash_login",
    ".bash_logout",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".zlogin",
    ".xprofile",
    ".xinitrc",
    ".config/autostart",
    ".config/environment.d",
    ".config/fish",
    ".config/systemd",
];

/// Terminals and disks.
const DEVICES: &str = "/dev";
/// What the kernel shows of itself, and takes orders by.
const KERNEL: [&str; 2] = ["/proc", "/sys"];

/// What is protected from whom; each kind from all that the one before it is protected from, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ProtectedKind {
    /// Keys of the user: from everybody.
    Key,
    /// What smcp keeps: from who asks for a folder that holds it.
    Kept,
    /// What decides about the next start: from who writes.
    Ruling,
    /// What starts with the user: from who writes to all of the home.
    Start,
}

/// Something protected.
#[derive(Debug)]
pub(super) struct Protected {
    /// As it is called.
    pub(super) named: PathBuf,
    /// Where it is.
    pub(super) real: PathBuf,
    pub(super) kind: ProtectedKind,
}

/// Returns all that is protected, at each place where it is mounted.
pub(super) fn all(surroundings: &Surroundings, search_path: Option<&OsStr>) -> Vec<Protected> {
    let Surroundings { home, kept, ruling, mounts, .. } = surroundings;
    let in_home = |names: &'static [&'static str], kind| {
        home.iter().flat_map(move |home| names.iter().map(move |name| (home.join(name), kind)))
    };
    let real_home = home.as_ref().and_then(|home| (surroundings.view.resolve)(home));
    let holds_home = |folder: &Path| {
        let real = (surroundings.view.resolve)(folder);
        real.is_none_or(|real| real_home.as_ref().is_some_and(|home| home.starts_with(real)))
    };
    let folders = search_path.map(std::env::split_paths).into_iter().flatten();
    let folders = folders.filter(|folder| folder.is_absolute() && !holds_home(folder));
    let named = in_home(&KEYS, ProtectedKind::Key)
        .chain([(PathBuf::from(DEVICES), ProtectedKind::Key)])
        .chain(kept.iter().map(|path| (path.clone(), ProtectedKind::Kept)))
        .chain(ruling.iter().map(|path| (path.clone(), ProtectedKind::Ruling)))
        .chain(KERNEL.map(|path| (PathBuf::from(path), ProtectedKind::Ruling)))
        .chain(in_home(&STARTS, ProtectedKind::Start))
        .chain(folders.map(|path| (path, ProtectedKind::Start)));
    let mut all = Vec::new();
    for (named, kind) in named {
        let Some(walked) = walk(&named, surroundings.view.target) else { continue };
        // Who could change a link would change what it leads to.
        let links = walked.links.into_iter().map(|link| (link.clone(), link, kind.max(ProtectedKind::Ruling)));
        for (named, real, kind) in links.chain([(named.clone(), walked.real, kind)]) {
            let places = others(&real, mounts).into_iter().chain([real]);
            all.extend(places.map(|real| Protected { named: named.clone(), real, kind }));
        }
    }
    all
}

/// The folders whose links lead out of them to whatever a process has open.
pub(super) fn of_kernel(path: &Path) -> Option<&'static str> {
    KERNEL.into_iter().chain([DEVICES]).find(|folder| path.starts_with(folder))
}
