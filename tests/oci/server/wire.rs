//! HTTP, as far as a registry of the tests speaks it: one request and one reply on each connection.

use std::collections::HashMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;

use serde_json::json;

/// A connection.
pub(crate) trait Stream: Read + Write + Send {}
impl<S: Read + Write + Send> Stream for S {}

/// A reply in place of the honest one.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// An answer with its length.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// These bytes, and then the end of the connection.
    Cut(Vec<u8>),
    /// These bytes, and then the second ones until the client gives up.
    Endless(Vec<u8>, Vec<u8>),
    /// Nothing, until the client gives up.
    Silence,
}

impl Reply {
    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self::Answer(status, headers.collect(), body.as_ref().to_vec())
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        let body = json!({"errors": [{"code": code, "message": code.to_lowercase()}]});
        Self::with(status, &[("content-type", "application/json")], body.to_string())
    }
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// Sends a reply.
pub(super) fn send(stream: &mut dyn Stream, method: &str, reply: &Reply) -> std::io::Result<()> {
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            stream.write_all(head.as_bytes())?;
            if method != "HEAD" {
                stream.write_all(body)?;
            }
        }
        Reply::Cut(bytes) => stream.write_all(bytes)?,
        Reply::Endless(bytes, again) => {
            stream.write_all(bytes)?;
            loop {
                stream.write_all(again)?;
            }
        }
        Reply::Silence => drop(std::io::copy(stream, &mut std::io::sink())),
    }
    stream.flush()
}

/// Reads a request; `None` when there is no whole one.
pub(super) fn read(stream: &mut dyn Stream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { method, path, headers, body })
}
