//! The URL of a registry, split into its parts when it is read.

use std::fmt;

use crate::endpoint::Endpoint;
use crate::endpoint::Scheme;
use crate::limits;
use crate::registry::Registry;

/// The `http(s)` address of a registry; `http` only for this machine. Addresses with the same text are equal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistryUrl {
    text: String, // INVARIANT: `endpoint`, followed by `path`.
    endpoint: Endpoint,
    path: String, // INVARIANT: empty, or begins with a slash and does not end with one; see `is_clean`.
}

impl RegistryUrl {
    /// Reads a URL of at most [`limits::http::URL`] bytes: a scheme and a host, perhaps a port and a path.
    ///
    /// `None` when it has another scheme, `http` to another machine, no host, credentials, a query or a fragment.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").filter(|_| text.len() <= limits::http::URL)?;
        let scheme = Scheme::from_name(scheme)?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let endpoint = Endpoint::new(scheme, authority).filter(|_| !authority.ends_with(':'))?;
        let is_here = matches!(endpoint.host(), "localhost" | "127.0.0.1" | "[::1]");
        let path = path.trim_end_matches('/');
        let fits = is_clean(path) && (scheme == Scheme::Https || is_here);
        fits.then(|| Self { text: format!("{endpoint}{path}"), endpoint, path: path.to_owned() })
    }

    /// The address of a server, without a path.
    pub fn of(endpoint: &Endpoint) -> Self {
        Self { text: endpoint.to_string(), endpoint: endpoint.clone(), path: String::new() }
    }

    /// The address of a file beside this one: `NAME.END` for `NAME`. `None` when it would be too long, or is no file's name.
    pub fn beside(&self, end: &str) -> Option<Self> {
        Self::parse(&format!("{}.{end}", self.text)).filter(|_| !self.path.is_empty())
    }

    /// The whole address in its normal form: lower-case scheme and host, no default port, no trailing slash.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The server that answers for it.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The prefix of each request's path: empty, or a path that begins with a slash and does not end with one.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Whether a path can be written into a request without escapes.
fn is_clean(path: &str) -> bool {
    path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\\\"<>^`{|}".contains(&byte))
}

impl Default for RegistryUrl {
    /// The URL of [`Registry::DEFAULT`].
    fn default() -> Self {
        let endpoint = Endpoint::https(Registry::DEFAULT_HOST);
        Self { text: Registry::DEFAULT.to_owned(), endpoint, path: String::new() }
    }
}

impl fmt::Display for RegistryUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_split_into_its_parts() {
        let cases = [
            ("HTTPS://R.Example:443/A/b//", Some(("https://r.example/A/b", "https://r.example", "/A/b"))),
            ("http://[::1]:8080/", Some(("http://[::1]:8080", "http://[::1]:8080", ""))),
            ("http://127.0.0.2", None),
            ("http://localhost.example", None),
            ("https://r.example:", None),
            ("https://r.example:+443", None),
            ("https://[r.example]", None),
            ("https://r.example/a b", None),
            ("https://r.example/{a}", None),
            ("https://r.example/a@b", None),
        ];
        for (text, expected) in cases {
            let read = RegistryUrl::parse(text);
            let parts = read.as_ref().map(|url| (url.as_str(), url.endpoint().to_string(), url.path()));
            assert_eq!(parts, expected.map(|(text, who, path)| (text, who.to_owned(), path)), "{text}");
        }
        let longest = format!("https://r.example/{}", "x".repeat(limits::http::URL - 18));
        assert!(RegistryUrl::parse(&longest).is_some());
        assert_eq!(RegistryUrl::parse(&format!("{longest}x")), None);
    }
}
