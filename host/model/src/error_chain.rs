//! An error and its causes as text.
//!
//! The first line of an error's message names the fault; the lines after it give advice.

use std::error::Error;

/// Returns the error, then its cause, then the cause of that, and so on.
pub fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// Returns the fault, with all causes, on one line; the advice follows on further lines.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    let (heads, more): (Vec<&str>, Vec<&str>) =
        texts.iter().map(|text| text.split_once('\n').unwrap_or((text, ""))).unzip();
    let more = more.into_iter().filter(|lines| !lines.is_empty());
    std::iter::once(heads.join(": ").as_str()).chain(more).collect::<Vec<_>>().join("\n")
}

/// Returns the fault, with all causes, on one line, without the advice.
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let heads = causes(error).map(|error| error.to_string().lines().next().unwrap_or_default().to_owned());
    heads.collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{message}")]
    struct ExampleError {
        message: &'static str,
        #[source]
        cause: Option<std::io::Error>,
    }

    #[test]
    fn causes_come_before_the_remedy() {
        let cause = || Some(std::io::Error::other("disk full\nof old logs"));
        let cases = [
            ("alone", None, "alone", "alone"),
            ("what\n  do this\n  or that", None, "what\n  do this\n  or that", "what"),
            (
                "can't write\n  free some space",
                cause(),
                "can't write: disk full\n  free some space\nof old logs",
                "can't write: disk full",
            ),
        ];
        for (message, cause, whole, short) in cases {
            let error = ExampleError { message, cause };
            assert_eq!(error_chain(&error), whole);
            assert_eq!(sentence(&error), short);
        }
    }
}
