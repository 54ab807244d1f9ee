//! Puts another command into an entry of a JSON file; every other byte stays.

use std::ops::Range;

use serde_json::Value;

use crate::cli::client::jsonc;
use crate::cli::client::merge::ClientCommand;
use crate::cli::client::merge::MergeError;
use crate::cli::client::merge::json::Layout;

/// Returns the text with another command in the entry that the keys lead to. Comments and trailing commas stay.
///
/// # Errors
/// When the entry has another shape, or a comment stands where the command does.
pub(super) fn rewrite(text: &str, keys: &[String], new: &ClientCommand) -> Result<String, MergeError> {
    // Every place in it is the same place in the text.
    let plain = jsonc::plain(text);
    let layout = Layout::of(&plain);
    let mut object = layout.container(plain.len() - plain.trim_ascii_start().len());
    for key in keys {
        let place = object.find(key)?.ok_or(MergeError::Moved)?;
        object = layout.object_at(&place)?;
    }
    let mut command = object.find("command")?.ok_or(MergeError::Moved)?;
    let mut program = "command";
    if layout.slice(&command).starts_with('{') {
        // Zed had the whole command in an object once.
        object = layout.object_at(&command)?;
        (program, command) = ("path", object.find("path")?.ok_or(MergeError::Moved)?);
    }
    let args = object.find("args")?;
    let is_list = layout.slice(&command).starts_with('[');
    if is_list && (program == "path" || args.is_some()) {
        return Err(MergeError::Moved);
    }
    let mut changes: Vec<(Range<usize>, String)> = Vec::new();
    if is_list {
        let words: Vec<_> = std::iter::once(&new.program).chain(&new.args).cloned().collect();
        changes.push((command.clone(), list(&layout, &command, &words)));
    } else {
        changes.push((command.clone(), Value::from(new.program.as_str()).to_string()));
        match args {
            Some(args) => changes.push((args.clone(), list(&layout, &args, &new.args))),
            None => changes.push((command.end..command.end, format!(", \"args\": {}", inline(&new.args)))),
        }
    }
    changes.sort_by_key(|(place, _)| std::cmp::Reverse(place.start));
    let (mut changed, without_comments) = (text.to_owned(), jsonc::without_comments(text));
    for (place, replacement) in changes {
        if text.get(place.clone()) != without_comments.get(place.clone()) {
            return Err(MergeError::Comment);
        }
        changed.replace_range(place, &replacement);
    }
    Ok(changed)
}

/// Returns the line in which each of these entries begins, counted from 1; 0 for one that is not there.
pub(super) fn lines(text: &str, entries: &[&[String]]) -> Vec<usize> {
    let plain = jsonc::plain(text);
    let layout = Layout::of(&plain);
    let root = plain.len() - plain.trim_ascii_start().len();
    let line_of = |keys: &[String]| {
        let (name, above) = keys.split_last()?;
        let mut object = layout.container(root);
        for key in above {
            object = layout.object_at(&object.find(key).ok()??).ok()?;
        }
        let start = object.parts.iter().find(|part| part.key == *name)?.start;
        Some(plain.get(..start)?.matches('\n').count() + 1)
    };
    entries.iter().map(|keys| line_of(keys).unwrap_or_default()).collect()
}

/// A list as it was laid out: on one line, or one word to a line.
fn list(layout: &Layout<'_>, place: &Range<usize>, words: &[String]) -> String {
    if layout.slice(place).contains('\n') {
        layout.pretty(&Value::from(words.to_vec()), layout.indentation(place.start))
    } else {
        inline(words)
    }
}

fn inline(words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(|word| Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str, keys: &[&str]) -> Result<String, String> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        let args = ["run", "npm/x@1", "--", "ü\""].map(str::to_owned).to_vec();
        rewrite(text, &keys, &ClientCommand { program: "/bin/smcp".to_owned(), args })
            .map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_has_its_line() {
        let text = "// a\n{\n  \"s\": {\n    \"x\": {}, \"y\": {},\n    /* \n */ \"z\": 5\n  }\n}\n";
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let entries =
            [keys(&["s", "x"]), keys(&["s", "y"]), keys(&["s", "z"]), keys(&["s"]), keys(&["s", "q"]), keys(&[])];
        let entries: Vec<&[String]> = entries.iter().map(Vec::as_slice).collect();
        assert_eq!(lines(text, &entries), [4, 4, 6, 3, 0, 0]);
    }

    #[test]
    fn only_the_command_changes() {
        let cases: [(&str, &[&str], &str); 7] = [
            (
                "{\"s\": {\"x\": {\"command\": \"npx\", \"args\": [\"-y\", \"x\"], \"env\": {\"A\": \"1\"}}}}",
                &["s", "x"],
                "{\"s\": {\"x\": {\"command\": \"/bin/smcp\", \"args\": [\"run\", \"npm/x@1\", \"--\", \"ü\\\"\"], \"env\": {\"A\": \"1\"}}}}",
            ),
            (
                "{\"x\": {\"args\": [\"-y\"], \"command\": \"npx\"}}",
                &["x"],
                "{\"x\": {\"args\": [\"run\", \"npm/x@1\", \"--\", \"ü\\\"\"], \"command\": \"/bin/smcp\"}}",
            ),
            (
                "{\"x\": {\"command\": \"npx\"}}",
                &["x"],
                "{\"x\": {\"command\": \"/bin/smcp\", \"args\": [\"run\", \"npm/x@1\", \"--\", \"ü\\\"\"]}}",
            ),
            (
                "// mine\n{\n\t\"x\": {\n\t\t\"command\": \"npx\", // old\n\t\t\"args\": [\n\t\t\t\"-y\",\n\t\t\t\"x\",\n\t\t],\n\t},\n}\n",
                &["x"],
                "// mine\n{\n\t\"x\": {\n\t\t\"command\": \"/bin/smcp\", // old\n\t\t\"args\": [\n\t\t\t\"run\",\n\t\t\t\"npm/x@1\",\n\t\t\t\"--\",\n\t\t\t\"ü\\\"\"\n\t\t],\n\t},\n}\n",
            ),
            (
                "{\"mcp\": {\"x\": {\"type\": \"local\", \"command\": [\"npx\", \"x\"]}}}",
                &["mcp", "x"],
                "{\"mcp\": {\"x\": {\"type\": \"local\", \"command\": [\"/bin/smcp\", \"run\", \"npm/x@1\", \"--\", \"ü\\\"\"]}}}",
            ),
            (
                "{\"x\": {\"command\": {\"path\": \"npx\", \"args\": [\"x\"], \"env\": null}}}",
                &["x"],
                "{\"x\": {\"command\": {\"path\": \"/bin/smcp\", \"args\": [\"run\", \"npm/x@1\", \"--\", \"ü\\\"\"], \"env\": null}}}",
            ),
            (
                "{\"a\\u0062\": {\"command\": \"npx\", \"args\": []}}",
                &["ab"],
                "{\"a\\u0062\": {\"command\": \"/bin/smcp\", \"args\": [\"run\", \"npm/x@1\", \"--\", \"ü\\\"\"]}}",
            ),
        ];
        for (text, keys, expected) in cases {
            assert_eq!(rewritten(text, keys).as_deref(), Ok(expected), "{text}");
        }
        for (text, says) in [
            ("{\"x\": {\"command\": \"npx\", \"args\": [\"a\", // why\n \"b\"]}}", "a comment stands"),
            ("{\"x\": {\"url\": \"y\"}}", "not where it was"),
            ("{\"x\": 5}", "not where it was"),
            ("{\"y\": {}}", "not where it was"),
            ("{\"x\": {\"command\": \"a\", \"command\": \"b\"}}", "more than once"),
        ] {
            assert!(rewritten(text, &["x"]).unwrap_err().contains(says), "{text}");
        }
    }
}
