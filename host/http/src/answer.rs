//! The answer to a request: its headers are checked, its body has a deadline.

use std::io;
use std::io::Read;

use ureq::Body;
use ureq::BodyReader;
use ureq::http::HeaderMap;
use ureq::http::Response;

use crate::problem::HttpProblem;
use crate::problem::RequestFailure;
use crate::problem::ServerMessage;
use crate::problem::shown;
use smcp_model::content;
use smcp_model::deadline::Deadline;
use smcp_model::limits;
use smcp_model::text::SafeText;
use smcp_store::stream::Halted;

/// The answer to a successful request. Its body is neither encoded nor a web page.
#[derive(Debug)]
pub struct HttpAnswer {
    response: Response<Body>,
    noun: &'static str,
}

impl HttpAnswer {
    /// Checks the headers of an answer with status 200: its body must not be encoded, nor a web page. Messages call the
    /// server `noun`.
    pub(crate) fn new(response: Response<Body>, noun: &'static str) -> Result<Self, HttpProblem> {
        let encodings = response.headers().get_all("content-encoding").iter();
        for encoding in encodings {
            if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") {
                return Err(HttpProblem::Encoded(shown(&String::from_utf8_lossy(encoding.as_bytes()))));
            }
        }
        if is_page(response.headers()) { Err(HttpProblem::WebPage { noun }) } else { Ok(Self { response, noun }) }
    }

    /// The length of the body according to the header, bytes.
    pub fn length(&self) -> Option<u64> {
        header(self.response.headers(), "content-length")?.parse().ok()
    }

    /// Returns a reader of the body, which fails when the deadline passes.
    pub fn body(self, deadline: &Deadline) -> impl Read + 'static {
        // The caller limits the length, since it knows what the body is.
        HttpBody {
            body: self.response.into_body().into_with_config().limit(u64::MAX).reader(),
            noun: self.noun,
            deadline: *deadline,
        }
    }
}

/// Whether these first bytes are those of a web page, whatever the headers say.
pub fn begins_a_page(bytes: &[u8]) -> bool {
    content::recognise(bytes).is_some_and(|(what, _)| what == content::WEB_PAGE)
}

/// Returns the first value of a header, if it is ASCII text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn is_page(headers: &HeaderMap) -> bool {
    header(headers, "content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"))
}

/// A reader of a body. It fails with [`Halted`] when the deadline passes.
struct HttpBody {
    body: BodyReader<'static>,
    noun: &'static str,
    deadline: Deadline,
}

impl Read for HttpBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer).map_err(|error| match RequestFailure::of(ureq::Error::from(error), self.noun) {
            RequestFailure::Expired => io::Error::other(Halted::from(self.deadline.expired())),
            RequestFailure::Passing(cause) => io::Error::other(cause.to_string()),
            RequestFailure::Final(problem) => io::Error::other(problem.to_string()),
        })
    }
}

/// Reads a server's message about a failure: `{"error": {"code", "message"}}`, strings in these places, the first of
/// `{"errors": […]}`, or plain text.
pub(crate) fn message(response: Response<Body>) -> ServerMessage {
    if is_page(response.headers()) {
        return ServerMessage::default();
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(limits::http::ERROR).unwrap_or(u64::MAX);
    // An error of reading is ignored: the status is known.
    drop(response.into_body().into_with_config().limit(u64::MAX).reader().take(limit).read_to_end(&mut bytes));
    let text = match serde_json::from_slice::<serde_json::Value>(&bytes) {
        Ok(document) => message_in(&document),
        Err(_) => Some(String::from_utf8_lossy(&bytes).trim().to_owned()),
    };
    ServerMessage(text.filter(|text| !text.is_empty()).map(|text| SafeText::within(&text, limits::http::ERROR_SHOWN)))
}

fn message_in(document: &serde_json::Value) -> Option<String> {
    let text = |value: Option<&serde_json::Value>| value?.as_str().map(str::to_owned);
    let first = document.get("errors").and_then(|errors| errors.get(0));
    let error = first.or_else(|| document.get("error"));
    let inside = error.and_then(|error| error.get("message").or_else(|| error.get("code")));
    text(inside).or_else(|| text(error)).or_else(|| text(document.get("message")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(headers: &[(&str, &str)], body: &str) -> Response<Body> {
        let mut response = Response::builder().status(500);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        response.body(Body::builder().data(body)).unwrap()
    }

    #[test]
    fn an_error_is_told_in_a_line() {
        let long = "x".repeat(500);
        let cut = format!("{}…", "x".repeat(197));
        let cases = [
            (r#"{"error":{"code":"gone","message":"it is gone"}}"#, Some("it is gone")),
            (r#"{"error":{"code":"gone"}}"#, Some("gone")),
            (r#"{"error":"it is gone"}"#, Some("it is gone")),
            (r#"{"message":"it is gone"}"#, Some("it is gone")),
            (r#"{"errors":[{"code":"GONE","message":"it is gone"},{"code":"X"}]}"#, Some("it is gone")),
            (r#"{"errors":[]}"#, None),
            (r#"{"error":{"message":5}}"#, None),
            ("[]", None),
            ("it is gone\n", Some("it is gone")),
            ("two\nlines\u{1b}[31m", Some("two lines\\u{1b}[31m")),
            ("", None),
            (long.as_str(), Some(cut.as_str())),
        ];
        for (body, expected) in cases {
            let said = message(answer(&[], body));
            assert_eq!(said.0.as_ref().map(SafeText::as_str), expected, "{body}");
        }
        assert_eq!(
            message(answer(&[("content-type", "text/html; charset=utf-8")], "<html>")),
            ServerMessage::default()
        );
    }

    #[test]
    fn only_what_is_sent_as_it_is_is_read() {
        let cases = [
            (&[][..], Ok(())),
            (&[("content-encoding", "identity")], Ok(())),
            (&[("content-encoding", "gzip")], Err(HttpProblem::Encoded("gzip".into()))),
            (&[("content-encoding", "identity"), ("content-encoding", "br")], Err(HttpProblem::Encoded("br".into()))),
            (&[("content-encoding", "")], Err(HttpProblem::Encoded("".into()))),
            (&[("content-type", "Text/HTML")], Err(HttpProblem::WebPage { noun: "registry" })),
        ];
        for (headers, expected) in cases {
            assert_eq!(HttpAnswer::new(answer(headers, "x"), "registry").map(|_| ()), expected, "{headers:?}");
        }
    }
}
