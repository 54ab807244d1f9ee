//! Follows a page: writes its files and runs its commands, in a fresh folder.
//!
//! The opening fence of a block says what it is: `file=PATH` is a file to write, `run` are commands, `exit=N` is the
//! exit code of the last one. A block of `text` that follows is their output; `…` in it is anything in its line, and
//! alone it is any number of lines.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use crate::bed::TestBed;
use crate::pages::Block;

/// A reader of a page, at some point of it.
pub(crate) struct Reader {
    /// The folder in which the page began.
    pub(crate) folder: PathBuf,
    /// The current folder.
    pub(crate) place: PathBuf,
    /// Variables of the reader's shell.
    pub(crate) env: Vec<(&'static str, OsString)>,
}

impl Reader {
    /// A reader whose home is the bed, and who has `smcp` on the PATH.
    pub(crate) fn of(bed: &TestBed) -> Self {
        let own = std::env::var_os("PATH").unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_smcp")).parent().unwrap();
        let path = std::env::join_paths([program.to_owned()].into_iter().chain(std::env::split_paths(&own))).unwrap();
        let folder = bed.path("").canonicalize().unwrap();
        let env = vec![("PATH", path), ("HOME", folder.clone().into())];
        Self { place: folder.clone(), env, folder }
    }

    /// Writes a file of the page.
    pub(crate) fn writes(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    /// Runs the commands of a block, and returns their output. The next block begins in the folder in which they end.
    #[track_caller]
    pub(crate) fn runs(&mut self, block: &Block) -> String {
        self.tries(block).unwrap_or_else(|failed| panic!("{failed}"))
    }

    /// Like [`runs`](Self::runs); an error has the commands and their output.
    pub(crate) fn tries(&mut self, block: &Block) -> Result<String, String> {
        let place = self.folder.join(".place");
        let script = format!("set -e; exec 2>&1; trap 'pwd > {}' EXIT\n{}", place.display(), block.text);
        let mut shell = Command::new("sh");
        shell.args(["-c", &script]).current_dir(&self.place).env_clear().envs(self.env.iter().cloned());
        let output = shell.output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let expected = block.value("exit").map_or(0, |code| code.parse().unwrap());
        if output.status.code() != Some(expected) {
            return Err(format!(
                "line {}: {}\n{printed}\n{}, expected {expected}",
                block.line, block.text, output.status
            ));
        }
        self.place = fs::read_to_string(place).unwrap().trim().into();
        Ok(printed)
    }
}

/// Checks that the output is what the page shows; the output of a compiler before it is not on the page.
#[track_caller]
pub(crate) fn shows(page: &Path, block: &Block, printed: &str) {
    let shown: Vec<_> = block.text.lines().collect();
    let found: Vec<_> = printed.lines().collect();
    let begins = |line: &&str| shown.first().is_some_and(|first| fits(first, line));
    let same = found.iter().position(begins).is_some_and(|begin| follows(&shown, &found[begin..]));
    assert!(same, "{}:{} shows\n{}\nand it prints\n{printed}", page.display(), block.line, block.text);
}

/// Whether lines fit the shown ones, where a line of `…` is any number of lines.
fn follows(shown: &[&str], found: &[&str]) -> bool {
    match (shown, found) {
        ([], found) => found.is_empty(),
        (["…", rest @ ..], found) => (0..=found.len()).any(|skipped| follows(rest, &found[skipped..])),
        ([_, ..], []) => false,
        ([first, shown @ ..], [line, found @ ..]) => fits(first, line) && follows(shown, found),
    }
}

/// Whether a line fits the shown one, where `…` is any text.
fn fits(shown: &str, line: &str) -> bool {
    let Some((before, after)) = shown.split_once('…') else { return shown == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    after.is_empty() || rest.char_indices().any(|(at, _)| fits(after, &rest[at..]))
}

#[test]
fn an_ellipsis_is_anything_in_its_line() {
    let cases = [
        ("size 12", "size 12", true),
        ("size 12", "size 123", false),
        ("size …", "size 12", true),
        ("size … bytes", "size 12 bytes", true),
        ("size … bytes", "size 12", false),
        ("a … b … c", "a 1 b 2 b 3 c", true),
        ("…", "", true),
    ];
    for (shown, line, expected) in cases {
        assert_eq!(fits(shown, line), expected, "{shown} {line}");
    }
}
