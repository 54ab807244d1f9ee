//! Reads the paths that manifests ask for.

use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

use crate::foresee::EVERYTHING;

/// What one entry of a list of paths stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AskedPath {
    /// The folder or file; `None` for one in the bundle, one that leads upwards, and one below an unknown home.
    pub(crate) path: Option<PathBuf>,
    /// Whether the entry is a pattern, of which the path is only the part before it.
    pub(crate) pattern: bool,
}

/// What begins a path in the home of the user.
const HOME: [&str; 3] = ["~", "$HOME", "${HOME}"];
/// The characters that make a name a pattern.
pub(crate) const WILD: [char; 4] = ['*', '?', '[', '{'];

/// Returns the path that an entry of a manifest's lists stands for; `None` when it stands for none outside of the bundle.
pub fn path_asked_for(text: &str, home: &Path) -> Option<PathBuf> {
    AskedPath::of(text, Some(home)).path
}

impl AskedPath {
    /// Reads an entry: `*`, an absolute path, or one that begins with `~`. `/*` and `/**` at its end stand for what is in
    /// the folder.
    pub(crate) fn of(text: &str, home: Option<&Path>) -> Self {
        if text == EVERYTHING {
            return Self { path: Some(PathBuf::from("/")), pattern: false };
        }
        let in_home = HOME.iter().find_map(|word| {
            let rest = text.strip_prefix(word)?;
            (rest.is_empty() || rest.starts_with('/')).then_some(rest)
        });
        let rest = in_home.unwrap_or(text);
        let whole = rest.trim_end_matches("/**").trim_end_matches("/*");
        let names = whole.split('/').filter(|name| !name.is_empty());
        let known: Vec<_> = names.clone().take_while(|name| !name.contains(WILD)).collect();
        let pattern = known.len() < names.count();
        let base = match in_home {
            Some(_) => home.map(Path::to_path_buf),
            None => text.starts_with('/').then(|| PathBuf::from("/")),
        };
        let path = base.map(|base| base.join(known.join("/")));
        let leads_up = |path: &PathBuf| path.components().any(|part| matches!(part, Component::ParentDir));
        Self { path: path.filter(|path| !leads_up(path)), pattern }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_people_write_them() {
        for (text, path, pattern) in [
            ("*", Some("/"), false),
            ("/", Some("/"), false),
            ("/srv/docs", Some("/srv/docs"), false),
            ("/srv//docs/", Some("/srv/docs"), false),
            ("/srv/docs/**", Some("/srv/docs"), false),
            ("/srv/docs/*", Some("/srv/docs"), false),
            ("~", Some("/home/u"), false),
            ("~/docs", Some("/home/u/docs"), false),
            ("$HOME/docs", Some("/home/u/docs"), false),
            ("${HOME}/docs", Some("/home/u/docs"), false),
            ("~other/docs", None, false),
            ("$HOMELESS/docs", None, false),
            ("/srv/*/docs", Some("/srv"), true),
            ("/srv/*.txt", Some("/srv"), true),
            ("/srv/${NAME}/docs", Some("/srv"), true),
            ("data", None, false),
            ("./data", None, false),
            ("", None, false),
            ("/srv/../etc", None, false),
            ("~/../other", None, false),
        ] {
            let found = AskedPath::of(text, Some(Path::new("/home/u")));
            let path = path.map(PathBuf::from);
            assert_eq!(found, AskedPath { path, pattern }, "{text}");
        }
        assert_eq!(AskedPath::of("~/docs", None).path, None);
    }
}
