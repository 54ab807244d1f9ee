//! Commands and options that the documents name exist.

use std::collections::BTreeMap;

use crate::bed::TestBed;
use crate::pages::Page;
use crate::pages::of_today;

/// Options that come before the command, and take a value.
const WITH_VALUE: [&str; 5] = ["--config", "--registry", "--cache-dir", "--color", "--env"];

/// The help of the program's commands, asked once for each.
#[derive(Default)]
struct Help(BTreeMap<String, Option<String>>);

impl Help {
    /// Returns the help of a command; `None` if there is no such command.
    fn of(&mut self, command: &str) -> Option<&str> {
        let ask = || {
            let ran = TestBed::new().run(&format!("{command} --help"));
            (ran.code == 0).then_some(ran.stdout)
        };
        self.0.entry(command.to_owned()).or_insert_with(ask).as_deref()
    }

    /// Whether the help lists `word` as a command of `command`.
    fn has(&mut self, command: &str, word: &str) -> bool {
        let Some(help) = self.of(command) else { return false };
        let Some((_, commands)) = help.split_once("Commands:\n") else { return false };
        commands.lines().take_while(|line| !line.is_empty()).any(|line| line.split_whitespace().next() == Some(word))
    }

    fn has_commands(&mut self, command: &str) -> bool {
        self.of(command).is_some_and(|help| help.contains("Commands:\n"))
    }
}

#[test]
fn every_command_that_the_documents_name_exists() {
    let mut help = Help::default();
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in of_today() {
        for (line, text) in spoken(&page) {
            count += 1;
            if let Err(why) = exists(&mut help, &text) {
                wrong.push(format!("{}:{line}: `smcp {text}`: {why}", page.name));
            }
        }
    }
    assert!(count > 60, "{count} commands were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Returns the text after `smcp` where it is typed: in backticks, and at the beginning of lines of a shell.
fn spoken(page: &Page) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in page.prose() {
        let quoted = line.split('`').skip(1).step_by(2).filter_map(|code| code.strip_prefix("smcp "));
        found.extend(quoted.map(|command| (number, command.to_owned())));
    }
    for block in page.blocks().into_iter().filter(|block| matches!(block.language(), "sh" | "console")) {
        let joined = block.text.replace("\\\n", " ");
        let lines = joined.lines().map(|line| line.trim_start_matches("$ ").trim());
        let commands =
            lines.filter_map(|line| line.rsplit_once("| smcp ").map(|(_, rest)| rest).or(line.strip_prefix("smcp ")));
        found.extend(commands.map(|command| (block.line, command.to_owned())));
    }
    found
}

/// Whether these commands and options exist.
fn exists(help: &mut Help, text: &str) -> Result<(), String> {
    let (mut command, mut options) = (String::new(), Vec::new());
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if matches!(word, "--" | "|" | "<" | ">" | "#" | "&&" | ";") {
            break;
        }
        if word.starts_with('-') {
            let option = word.trim_start_matches('[').split(['=', ']', '`']).next().unwrap_or(word);
            options.push(option);
            if WITH_VALUE.contains(&option) && !word.contains('=') {
                words.next();
            }
            continue;
        }
        if help.has_commands(&command) && options.iter().all(|option| option.starts_with('-')) {
            if help.has(&command, word) {
                command = format!("{command} {word}").trim().to_owned();
            } else if word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-') {
                return Err(format!("`{command}` has no command `{word}`"));
            }
        }
    }
    let told = help.of(&command).ok_or("there is no such command")?.to_owned();
    let unknown = options.into_iter().find(|option| !told.contains(*option) && !is_repeated(option));
    unknown.map_or(Ok(()), |option| Err(format!("it has no option `{option}`")))
}

/// Accepts `-vv`, and `--version`, which only the main command has.
fn is_repeated(option: &str) -> bool {
    option == "-vv" || option == "--version"
}
