//! Splits a shell script into commands, and each command into words.
//!
//! Reads as much of a shell's grammar as is needed to see where commands begin: quotes, escapes, comments, separators
//! and keywords. Substitutions inside quotation marks are not examined.

/// Words that a command follows.
const KEYWORDS: [&str; 10] = ["if", "then", "else", "elif", "do", "while", "until", "!", "{", "}"];

/// Returns every command of a script.
pub(super) fn commands(script: &str) -> Vec<Vec<String>> {
    let mut reader = ScriptReader::default();
    let mut characters = script.chars().peekable();
    while let Some(character) = characters.next() {
        match (reader.quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => reader.quote = None,
            (None | Some('"'), '\\') => {
                if let Some(next) = characters.next() {
                    reader.push(next);
                }
            }
            (Some(_), inside) => reader.push(inside),
            (None, quote @ ('\'' | '"')) => {
                reader.quote = Some(quote);
                reader.word.get_or_insert_default();
            }
            (None, '#') if reader.word.is_none() => while characters.next_if(|next| *next != '\n').is_some() {},
            (None, ';' | '&' | '|' | '\n' | '\r' | '(' | ')' | '`') => reader.end_command(),
            // `$(` begins a command as `(` does.
            (None, '$') if characters.peek() == Some(&'(') => {}
            (None, space) if space.is_whitespace() => reader.end_word(),
            (None, other) => reader.push(other),
        }
    }
    reader.end_command();
    reader.commands
}

#[derive(Default)]
struct ScriptReader {
    commands: Vec<Vec<String>>,
    command: Vec<String>,
    word: Option<String>,
    quote: Option<char>,
}

impl ScriptReader {
    fn push(&mut self, character: char) {
        self.word.get_or_insert_default().push(character);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        // Variables and keywords before a command are not part of it.
        if self.command.is_empty() && (KEYWORDS.contains(&word.as_str()) || is_assignment(&word)) {
            return;
        }
        self.command.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
        if !self.command.is_empty() {
            self.commands.push(std::mem::take(&mut self.command));
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    })
}
