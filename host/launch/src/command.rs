//! Finds the file of a manifest's command and its working directory (spec 6).
//!
//! Paths of a manifest are resolved only through the bundle's opened directory, so neither `..` nor a link leads out of
//! it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use cap_std::fs::Dir;
use cap_std::fs::Metadata;
use cap_std::fs::MetadataExt as _;
use nix::fcntl::AtFlags;
use nix::unistd::AccessFlags;
use nix::unistd::faccessat;

use crate::IsProgram;
use crate::error::LaunchError;
use crate::search::on_path;
use smcp_model::text::SafeText;

/// The unpacked bundle: its path, and the handle that paths are resolved with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bundle<'a> {
    pub(crate) root: &'a Path,
    pub(crate) dir: &'a Dir,
}

/// The executable bits of a file's mode.
const ANY_EXECUTES: u32 = 0o111;

/// The reason why a path of the manifest can't be resolved.
enum Miss {
    Escapes,
    Missing,
    Unreadable(io::Error),
}

impl Bundle<'_> {
    /// The absolute path of the file to start.
    pub(crate) fn program(
        self,
        command: &str,
        search_path: Option<&OsStr>,
        is_program: IsProgram,
    ) -> Result<PathBuf, LaunchError> {
        if command.contains('/') { self.own_program(command) } else { on_path(command, search_path, is_program) }
    }

    /// The absolute path of the directory to start in.
    pub(crate) fn directory(self, workdir: Option<&str>) -> Result<PathBuf, LaunchError> {
        let Some(workdir) = workdir.filter(|workdir| !workdir.is_empty()) else {
            return Ok(self.root.to_owned());
        };
        match self.resolve(Path::new(workdir)) {
            Ok((path, metadata)) if metadata.is_dir() => Ok(self.root.join(path)),
            Ok(_) | Err(Miss::Missing) => Err(LaunchError::NoWorkdir { workdir: SafeText::quoted(workdir) }),
            Err(Miss::Escapes) => Err(LaunchError::WorkdirEscapes { workdir: SafeText::quoted(workdir) }),
            Err(Miss::Unreadable(cause)) => Err(LaunchError::Unreadable { path: SafeText::quoted(workdir), cause }),
        }
    }

    fn own_program(self, command: &str) -> Result<PathBuf, LaunchError> {
        let (path, metadata) = self.resolve(Path::new(command)).map_err(|miss| match miss {
            Miss::Escapes => LaunchError::CommandEscapes { command: SafeText::quoted(command) },
            Miss::Missing => LaunchError::NotInBundle { command: SafeText::quoted(command) },
            Miss::Unreadable(cause) => LaunchError::Unreadable { path: SafeText::quoted(command), cause },
        })?;
        let executable = faccessat(self.dir, &path, AccessFlags::X_OK, AtFlags::AT_EACCESS).is_ok();
        if metadata.is_file() && executable {
            Ok(self.root.join(path))
        } else if metadata.is_file() && metadata.mode() & ANY_EXECUTES != 0 && is_noexec(self.dir) {
            Err(LaunchError::NoExec { command: SafeText::quoted(command), folder: self.root.to_owned() })
        } else {
            Err(LaunchError::NotExecutable { command: SafeText::quoted(command) })
        }
    }

    /// Resolves links and `..`. Returns the path relative to the root, and the metadata of what is there.
    fn resolve(self, path: &Path) -> Result<(PathBuf, Metadata), Miss> {
        if leads_out(path) {
            return Err(Miss::Escapes);
        }
        let canonical = match self.plain(path) {
            Some(plain) => plain,
            None => self.dir.canonicalize(path).map_err(Miss::from)?,
        };
        let metadata = self.dir.metadata(&canonical)?;
        Ok((canonical, metadata))
    }

    /// Returns a path that is canonical as it is written, but for a `./` before it; `None` for one with `..` or a link.
    /// The system's way to find that out lists all processes of the machine.
    fn plain(self, path: &Path) -> Option<PathBuf> {
        let text = path.as_os_str().as_bytes();
        let text = Path::new(OsStr::from_bytes(text.strip_prefix(b"./").unwrap_or(text)));
        let is_normal = |component: Component<'_>| matches!(component, Component::Normal(_));
        let plain: PathBuf = text.components().take_while(|component| is_normal(*component)).collect();
        let is_link = |path: &Path| self.dir.symlink_metadata(path).map_or(true, |metadata| metadata.is_symlink());
        let mut on_the_way = plain.ancestors().filter(|path| !path.as_os_str().is_empty());
        let is_plain = !text.as_os_str().is_empty() && plain.as_os_str() == text.as_os_str();
        (is_plain && !on_the_way.any(is_link)).then_some(plain)
    }
}

/// Whether a folder is on a file system that starts no programs, whatever their permissions.
fn is_noexec(dir: &Dir) -> bool {
    #[cfg(target_os = "linux")]
    let flag = nix::sys::statvfs::FsFlags::ST_NOEXEC;
    #[cfg(not(target_os = "linux"))]
    let flag = nix::sys::statvfs::FsFlags::empty();
    nix::sys::statvfs::fstatvfs(dir).is_ok_and(|found| !flag.is_empty() && found.flags().contains(flag))
}

/// Whether the text of a path leads out of the bundle, whether or not the path exists.
fn leads_out(path: &Path) -> bool {
    let mut depth = 0_usize;
    for component in path.components() {
        match component {
            Component::Normal(_) => depth = depth.saturating_add(1),
            Component::CurDir => {}
            Component::ParentDir => match depth.checked_sub(1) {
                Some(above) => depth = above,
                None => return true,
            },
            Component::RootDir | Component::Prefix(_) => return true,
        }
    }
    false
}

impl From<io::Error> for Miss {
    fn from(error: io::Error) -> Self {
        match (error.kind(), error.raw_os_error()) {
            // The directory handle refuses without asking the system, so its refusal has no error number.
            (io::ErrorKind::PermissionDenied, None) => Self::Escapes,
            (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput, _) => Self::Missing,
            _ => Self::Unreadable(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use smcp_bed::Bed;
    use smcp_model::exit::ExitKind;

    /// A bundle `tree/` with `server`, `data` (not executable), `bin/tool`, and links; beside it `outside/tool`.
    fn bed() -> (Bed, PathBuf, Dir) {
        let bed = Bed::with([]);
        let base = &bed.root;
        for directory in ["tree/bin", "tree/empty", "outside"] {
            base.create_dir_all(directory).unwrap();
        }
        for (file, mode) in
            [("tree/server", 0o755), ("tree/data", 0o644), ("tree/bin/tool", 0o755), ("outside/tool", 0o755)]
        {
            base.write(file, "#!/bin/sh\n").unwrap();
            base.set_permissions(file, cap_std::fs::Permissions::from_std(Permissions::from_mode(mode))).unwrap();
        }
        let links = [
            ("../outside", "tree/out"),
            ("../outside/tool", "tree/out-tool"),
            ("bin/tool", "tree/in-tool"),
            ("bin", "tree/in"),
            ("loop", "tree/loop"),
            ("missing", "tree/dangling"),
        ];
        for (target, link) in links {
            base.symlink(target, link).unwrap();
        }
        std::os::unix::fs::symlink(bed.path("outside/tool"), bed.path("tree/absolute-tool")).unwrap();
        let dir = base.open_dir("tree").unwrap();
        let root = bed.path("tree");
        (bed, root, dir)
    }

    /// As `authority` does it.
    #[expect(clippy::disallowed_methods, reason = "the test takes the place of `authority`")]
    fn is_program(path: &Path) -> Option<bool> {
        let metadata = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
        Some(metadata.permissions().mode() & 0o100 != 0)
    }

    fn outcome(result: Result<PathBuf, LaunchError>, root: &Path) -> Result<String, (ExitKind, String)> {
        result
            .map(|path| path.strip_prefix(root).unwrap().display().to_string())
            .map_err(|error| (error.exit_kind(), format!("{error:?}").split([' ', '{']).next().unwrap().to_owned()))
    }

    #[test]
    fn a_command_with_a_slash_is_a_file_of_the_bundle() {
        use ExitKind::Integrity;
        use ExitKind::Start;
        let (_bed, root, dir) = bed();
        let bundle = Bundle { root: &root, dir: &dir };
        let cases = [
            ("./server", Ok("server")),
            ("bin/tool", Ok("bin/tool")),
            ("bin/../server", Ok("server")),
            ("./in-tool", Ok("bin/tool")),
            ("in/tool", Ok("bin/tool")),
            ("./data", Err((Start, "NotExecutable"))),
            ("./bin", Err((Start, "NotExecutable"))),
            ("bin/", Err((Start, "NotExecutable"))),
            ("./missing", Err((Start, "NotInBundle"))),
            ("./dangling", Err((Start, "NotInBundle"))),
            ("server/tool", Err((Start, "NotInBundle"))),
            ("server/", Err((Start, "NotInBundle"))),
            ("server/.", Err((Start, "NotInBundle"))),
            (".//server", Ok("server")),
            ("././bin/./tool", Ok("bin/tool")),
            ("./nul\0", Err((Start, "NotInBundle"))),
            ("./loop", Err((Start, "Unreadable"))),
            ("/bin/sh", Err((Integrity, "CommandEscapes"))),
            ("//bin/sh", Err((Integrity, "CommandEscapes"))),
            ("../outside/tool", Err((Integrity, "CommandEscapes"))),
            ("bin/../../outside/tool", Err((Integrity, "CommandEscapes"))),
            ("../missing", Err((Integrity, "CommandEscapes"))),
            ("../tree/server", Err((Integrity, "CommandEscapes"))),
            ("missing/../../tree/server", Err((Integrity, "CommandEscapes"))),
            ("out/tool", Err((Integrity, "CommandEscapes"))),
            ("./out-tool", Err((Integrity, "CommandEscapes"))),
            ("./absolute-tool", Err((Integrity, "CommandEscapes"))),
            ("in/../../outside/tool", Err((Integrity, "CommandEscapes"))),
        ];
        for (command, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(|(failure, variant)| (failure, variant.to_owned()));
            assert_eq!(outcome(bundle.program(command, None, |_| None), &root), expected, "{command}");
        }
    }

    /// The way by links is slower, and finds the same.
    #[test]
    fn a_path_without_links_is_canonical_as_it_is_written() {
        let (_bed, root, dir) = bed();
        let bundle = Bundle { root: &root, dir: &dir };
        for path in ["server", "./server", "bin/tool", "bin"] {
            assert_eq!(bundle.plain(Path::new(path)), dir.canonicalize(path).ok(), "{path}");
        }
        let others =
            ["", ".", "./", "bin/", "server/.", "././server", "bin//tool", "bin/../server", "in/tool", "in-tool"];
        for path in others.into_iter().chain(["missing", "/server", "server/tool", "dangling", "loop", "nul\0"]) {
            assert_eq!(bundle.plain(Path::new(path)), None, "{path:?}");
        }
    }

    #[test]
    fn a_working_directory_is_one_of_the_bundle() {
        use ExitKind::Integrity;
        use ExitKind::Start;
        let (_bed, root, dir) = bed();
        let bundle = Bundle { root: &root, dir: &dir };
        let cases = [
            (None, Ok("")),
            (Some(""), Ok("")),
            (Some("."), Ok("")),
            (Some("bin"), Ok("bin")),
            (Some("./empty/../bin/"), Ok("bin")),
            (Some("in"), Ok("bin")),
            (Some("missing"), Err((Start, "NoWorkdir"))),
            (Some("server"), Err((Start, "NoWorkdir"))),
            (Some("/"), Err((Integrity, "WorkdirEscapes"))),
            (Some("/tmp"), Err((Integrity, "WorkdirEscapes"))),
            (Some(".."), Err((Integrity, "WorkdirEscapes"))),
            (Some("bin/../.."), Err((Integrity, "WorkdirEscapes"))),
            (Some("out"), Err((Integrity, "WorkdirEscapes"))),
        ];
        for (workdir, expected) in cases {
            let expected = expected.map(str::to_owned).map_err(|(failure, variant)| (failure, variant.to_owned()));
            assert_eq!(outcome(bundle.directory(workdir), &root), expected, "{workdir:?}");
        }
    }

    #[test]
    fn a_command_without_a_slash_is_looked_up_on_path() {
        let (bed, root, dir) = bed();
        let bundle = Bundle { root: &root, dir: &dir };
        let outside = bed.path("outside");
        let path = |directories: &[&Path]| std::env::join_paths(directories).unwrap();
        let both = path(&[&root, &outside, &root.join("bin")]);
        assert_eq!(
            bundle.program("tool", Some(&both), is_program).unwrap(),
            outside.join("tool"),
            "the first one wins"
        );
        let cases: [(&str, Option<std::ffi::OsString>, &str); 9] = [
            ("tool", None, "NotOnPath"),
            ("tool", Some("".into()), "NotOnPath"),
            ("server", Some(".:tree::bin".into()), "NotOnPath"),
            ("missing", Some(both.clone()), "NotOnPath"),
            ("data", Some(both.clone()), "NotExecutable"),
            ("bin", Some(both.clone()), "NotOnPath"),
            ("", Some(both.clone()), "NotOnPath"),
            ("..", Some(both.clone()), "NotOnPath"),
            ("nul\0", Some(both), "NotOnPath"),
        ];
        for (command, search_path, variant) in cases {
            let error = bundle.program(command, search_path.as_deref(), is_program).unwrap_err();
            assert_eq!(error.exit_kind(), ExitKind::Start);
            assert!(format!("{error:?}").starts_with(variant), "{command}: {error:?}");
        }
    }

    #[test]
    fn what_the_manifest_typed_is_shown_harmless_and_cut() {
        let (_bed, root, dir) = bed();
        let bundle = Bundle { root: &root, dir: &dir };
        let typed = format!("../\u{1b}[31m{}", "x".repeat(10_000));
        let message = bundle.program(&typed, None, |_| None).unwrap_err().to_string();
        assert!(message.contains("../\\u{1b}[31mxxx") && message.len() < 500, "{message}");
    }
}
