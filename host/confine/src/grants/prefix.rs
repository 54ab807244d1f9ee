//! Finds where a program is installed: the folders that it needs.

use std::path::Path;
use std::path::PathBuf;

/// Folders of programs: what belongs to them is in the folder above.
const PROGRAMS: [&str; 3] = ["bin", "sbin", "shims"];
/// What versions of runtimes read in the home when they are started by a shim (asdf, mise).
const SHIMS_READ: [&str; 3] = [".tool-versions", ".asdfrc", ".config/mise"];

/// Returns where programs are installed, by the paths at which they were found and those that these lead to. It is never
/// the home itself, and nothing that is `protected`: of that, the program alone.
pub(super) fn of(
    programs: &[&PathBuf],
    home: Option<&Path>,
    resolve: fn(&Path) -> Option<PathBuf>,
    protected: impl Fn(&Path) -> bool,
) -> Vec<PathBuf> {
    let real_home = home.and_then(resolve);
    let homes: Vec<&Path> = home.into_iter().chain(real_home.as_deref()).collect();
    let real = programs.iter().filter_map(|program| resolve(program));
    // PATH may lead to their folders by others.
    let named = programs.iter().filter_map(|program| Some(resolve(program.parent()?)?.join(program.file_name()?)));
    let mut prefixes: Vec<PathBuf> =
        named.chain(real).flat_map(|program| prefix(&program, &homes, &protected)).collect();
    if programs.iter().any(|program| program.parent().is_some_and(|folder| folder.ends_with("shims"))) {
        prefixes.extend(home.iter().flat_map(|home| SHIMS_READ.map(|name| home.join(name))));
    }
    prefixes
}

/// Returns the folder of a program, or the one above where that is called `bin`; narrower ones where that is the home,
/// or holds more than programs.
fn prefix(program: &Path, homes: &[&Path], protected: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let Some(folder) = program.parent() else { return Vec::new() };
    let above = folder.parent().filter(|_| PROGRAMS.iter().any(|name| folder.ends_with(name)));
    let holds_home = |path: &Path| homes.iter().any(|home| home.starts_with(path));
    let too_much = |path: &Path| path.parent().is_none() || holds_home(path) || protected(path);
    if let Some(above) = above {
        // What users install for themselves lies beside their data.
        if homes.iter().any(|home| above == home.join(".local")) {
            return vec![folder.to_path_buf(), above.join("lib")];
        }
        if !too_much(above) {
            return vec![above.to_path_buf()];
        }
    }
    vec![if too_much(folder) { program.to_path_buf() } else { folder.to_path_buf() }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_where_a_program_is_installed_and_never_the_home() {
        for (program, expected) in [
            ("/usr/bin/node", &["/usr"][..]),
            ("/bin/sh", &["/bin"]),
            ("/opt/tool/server", &["/opt/tool"]),
            ("/home/u/.nvm/versions/node/v20/bin/node", &["/home/u/.nvm/versions/node/v20"]),
            ("/home/u/.pyenv/shims/python3", &["/home/u/.pyenv"]),
            ("/home/u/.local/bin/tool", &["/home/u/.local/bin", "/home/u/.local/lib"]),
            ("/home/u/bin/tool", &["/home/u/bin"]),
            ("/home/u/tool", &["/home/u/tool"]),
            ("/home/bin/tool", &["/home/bin"]),
            ("/home/u/.docker/bin/tool", &["/home/u/.docker/bin/tool"]),
        ] {
            let protected = |path: &Path| path.starts_with("/home/u/.docker");
            let found = prefix(Path::new(program), &[Path::new("/home/u")], protected);
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>(), "{program}");
        }
        assert_eq!(
            prefix(Path::new("/bin/sh"), &[], |_| false),
            [Path::new("/bin")],
            "no home is known, and no root is one"
        );
    }

    #[test]
    fn both_ends_of_a_link_count() {
        let resolve: fn(&Path) -> Option<PathBuf> = |path| {
            let real = match path.to_str()? {
                "/home/u/venv/bin/python3" => "/usr/bin/python3.11",
                "/home/u/venv/.." => "/home/u",
                same => same,
            };
            Some(PathBuf::from(real))
        };
        let home = Some(Path::new("/home/u"));
        let found = of(&[&"/home/u/venv/bin/python3".into()], home, resolve, |_| false);
        assert_eq!(found, ["/home/u/venv", "/usr"].map(PathBuf::from));
        let found = of(&[&"/home/u/venv/../tool".into()], home, resolve, |_| false);
        assert_eq!(found.first().map(PathBuf::as_path), Some(Path::new("/home/u/tool")), "and not the home");
    }
}
