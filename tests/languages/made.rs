//! Makes the components, once for all tests of this binary.
//!
//! A language has its folder in `target/languages`, in which the page is followed from the top. Its toolchain stays
//! there until its example or its lines in the page change.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::path::PathBuf;
use std::sync::LazyLock;

use crate::bed::ROOT;
use crate::language::LANGUAGES;
use crate::language::Language;
use crate::language::clang_of_debian;
use crate::language::succeeds;
use crate::page::Reader;
use crate::page::shows;
use crate::pages::Block;
use crate::pages::of_today;
use smcp_model::digest::Digest;

/// The folder of the pages, one for each language.
const PAGES: &str = "docs/languages/";

/// The name of the component in every language's folder.
const COMPONENT: &str = "allowed-hosts.wasm";

/// Names of languages, separated by commas: only these are tried.
const ONLY: &str = "SMCP_LANGUAGES";

/// Variables that say how this machine reaches the registries.
const REACH: [&str; 8] = [
    "HTTPS_PROXY",
    "NODE_EXTRA_CA_CERTS",
    "NPM_CONFIG_REGISTRY",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "PIP_FIND_LINKS",
    "PIP_INDEX_URL",
    "SSL_CERT_FILE",
];

/// A component that a toolchain made.
#[derive(Debug)]
pub(crate) struct Made {
    /// The language.
    pub(crate) name: &'static str,
    pub(crate) component: PathBuf,
}

/// The components of all languages that can be tried here. Says which were made, and which were not, and why.
pub(crate) fn all() -> &'static [Made] {
    static MADE: LazyLock<Vec<Made>> = LazyLock::new(|| {
        let made = LANGUAGES.iter().filter_map(|language| match make(language, &page_of(language.name)) {
            Ok(component) => {
                say(&format!("made: {}, {} bytes", language.name, fs::metadata(&component).unwrap().len()));
                Some(Made { name: language.name, component })
            }
            Err(why) => {
                say(&format!("skipped: {}: {why}", language.name));
                None
            }
        });
        made.collect()
    });
    assert!(!MADE.is_empty(), "no language can be tried on this machine");
    &MADE
}

/// A page with lines for a toolchain, in parts.
pub(crate) struct LanguagePage {
    pub(crate) name: String,
    blocks: Vec<Block>,
}

impl LanguagePage {
    /// The one block of a toolchain that has this word, and what it prints.
    pub(crate) fn block(&self, toolchain: &str, word: &str) -> (&Block, &Block) {
        let is_it = |block: &&Block| block.value("language") == Some(toolchain) && block.is(word);
        let found: Vec<_> = self.blocks.iter().filter(is_it).collect();
        let [block] = found[..] else { panic!("{} has one block that says `{word}` of `{toolchain}`", self.name) };
        let shown = self.blocks.iter().find(|later| later.line > block.line).filter(|later| later.language() == "text");
        (block, shown.unwrap_or(block))
    }
}

/// The page with the lines for a toolchain.
pub(crate) fn page_of(toolchain: &str) -> LanguagePage {
    let pages = of_today().into_iter().filter(|page| page.name.starts_with(PAGES));
    let pages = pages.map(|page| LanguagePage { blocks: page.blocks(), name: page.name });
    let has = |page: &LanguagePage| page.blocks.iter().any(|block| block.value("language") == Some(toolchain));
    pages.into_iter().find(has).unwrap_or_else(|| panic!("{PAGES} has a page for `{toolchain}`"))
}

/// Not by `eprintln`, which a passing test doesn't show.
pub(crate) fn say(line: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{line}").unwrap();
}

/// Returns the component, or why the language can't be tried.
fn make(language: &Language, page: &LanguagePage) -> Result<PathBuf, String> {
    let only = env::var(ONLY).unwrap_or_default();
    if !only.is_empty() && !only.split(',').any(|name| name == language.name) {
        return Err(format!("{ONLY} is `{only}`"));
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("languages").join(language.name);
    let env = environment(&folder, language);
    if let Some(lack) = language.lacks(&env) {
        return Err(lack);
    }
    let ((install, _), (build, shown)) = (page.block(language.name, "install"), page.block(language.name, "build"));

    let mut reader = Reader { place: folder.clone(), env, folder: folder.clone() };
    let (stamp, wanted) = (folder.join("stamp"), stamp(language, install));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        reader.place = folder.join(language.name);
    } else {
        begin(&folder);
        let env = reader.env.clone();
        reader.tries(install).map_err(|failed| match language.registry {
            Some(registry) if !succeeds(registry, &env) => {
                format!("its registry can't be reached: `{registry}` fails too")
            }
            _ => panic!("{failed}"),
        })?;
        assert_eq!(reader.place, folder.join(language.name), "the block installs into the language's folder");
        fs::write(&stamp, wanted).unwrap();
    }
    let component = reader.place.join(COMPONENT);
    // An older one would hide that none was made.
    drop(fs::remove_file(&component));
    let printed = reader.runs(build);
    shows(Path::new(&page.name), shown, &printed);
    Ok(component)
}

/// Makes the folder, empty but for the checkout.
fn begin(folder: &Path) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    fs::create_dir_all(folder).unwrap();
    symlink(Path::new(ROOT).canonicalize().unwrap(), folder.join("smcp")).unwrap();
}

/// What the installation depends on: the lines, and every file of the example.
fn stamp(language: &Language, install: &Block) -> String {
    let mut text = install.text.clone();
    let mut todo = vec![Path::new(ROOT).join("examples/languages")];
    let mut files = Vec::new();
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if install.text.contains(&format!("languages/{}", path.parent().unwrap().file_name().unwrap().display()))
        {
            files.push(path);
        }
    }
    files.sort();
    assert!(!files.is_empty() || language.name == "rust", "`{}` copies an example", language.name);
    for file in files {
        text.push_str(&format!("{}\n{}", file.display(), fs::read_to_string(&file).unwrap()));
    }
    Digest::of(text.as_bytes()).to_string()
}

/// The author's: a home of its own, `smcp` on the path, and the caches of the real one.
pub(crate) fn environment(folder: &Path, language: &Language) -> Vec<(&'static str, OsString)> {
    let shared = folder.parent().unwrap().join("shared");
    let (home, bin) = (shared.join("home"), shared.join("bin"));
    fs::create_dir_all(&home).unwrap();
    fs::create_dir_all(&bin).unwrap();
    drop(fs::remove_file(bin.join("smcp")));
    symlink(env!("CARGO_BIN_EXE_smcp"), bin.join("smcp")).unwrap();
    let own = env::var_os("PATH").unwrap();
    let mut path: Vec<_> = [bin].into_iter().chain(env::split_paths(&own)).collect();
    let mut env = Vec::new();
    let machines = [("PATH", own)];
    if language.name == "c"
        && !succeeds("command -v clang", &machines)
        && let Some((clang, libraries)) = clang_of_debian(&shared.join("clang"))
    {
        path.extend(clang);
        env.push(("LD_LIBRARY_PATH", libraries.into_os_string()));
    }
    let user = env::home_dir().unwrap();
    let rust = [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")]
        .map(|(name, folder)| (name, env::var_os(name).unwrap_or_else(|| user.join(folder).into())));
    env.extend(rust);
    env.extend(REACH.into_iter().filter_map(|name| Some((name, env::var_os(name)?))));
    env.push(("npm_config_userconfig", user.join(".npmrc").into_os_string()));
    env.extend([("PATH", env::join_paths(path).unwrap()), ("HOME", home.into_os_string())]);
    env
}
