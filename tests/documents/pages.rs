//! The pages of the repository, and their parts.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use crate::bed::ROOT;

/// A page.
pub(crate) struct Page {
    /// Its path from the root of the repository.
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

/// A block between fences.
pub(crate) struct Block {
    /// The words after the opening fence.
    pub(crate) info: Vec<String>,
    pub(crate) text: String,
    /// The line of the opening fence.
    pub(crate) line: usize,
}

/// All pages that are written by hand for readers.
pub(crate) fn all() -> Vec<Page> {
    let root = Path::new(ROOT).canonicalize().unwrap();
    let mut pages = Vec::new();
    let mut todo = vec![root.clone()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
            let hidden = path.file_name().unwrap().to_str().unwrap().starts_with('.');
            if path.is_dir() && !hidden && name != "target" {
                todo.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(Page { text: fs::read_to_string(&path).unwrap(), name, path });
            }
        }
    }
    assert!(pages.len() > 10, "{} pages", pages.len());
    pages
}

/// The pages that describe this version, without decisions and changes of earlier times.
pub(crate) fn of_today() -> Vec<Page> {
    let of_its_time = |name: &str| name.starts_with("docs/decisions/") || name == "CHANGELOG.md";
    all().into_iter().filter(|page| !of_its_time(&page.name)).collect()
}

impl Page {
    /// Returns the blocks between fences, in order.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for (number, line) in self.text.lines().enumerate() {
            if let Some(info) = line.strip_prefix("```") {
                inside = !inside;
                if inside {
                    let info = info.split_whitespace().map(str::to_owned).collect();
                    blocks.push(Block { info, text: String::new(), line: number + 1 });
                }
            } else if inside {
                let text = &mut blocks.last_mut().unwrap().text;
                text.push_str(line);
                text.push('\n');
            }
        }
        assert!(!inside, "{}: a fence is not closed", self.name);
        blocks
    }

    /// Returns the lines that are not between fences, with their numbers.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let outside = |(number, line): (usize, &'_ str)| {
            let fence = line.trim_start().starts_with("```");
            inside ^= fence;
            (!inside && !fence).then_some(number + 1)
        };
        let numbers: Vec<_> = self.text.lines().enumerate().map(outside).collect();
        numbers.into_iter().zip(self.text.lines()).filter_map(|(number, line)| Some((number?, line))).collect()
    }
}

impl Block {
    /// The language, or the word in its place.
    pub(crate) fn language(&self) -> &str {
        self.info.first().map_or("", String::as_str)
    }

    /// Whether a word follows the language.
    pub(crate) fn is(&self, word: &str) -> bool {
        self.info.iter().skip(1).any(|given| given == word)
    }

    /// The value of `name=value` after the language.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.info.iter().skip(1).find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}
