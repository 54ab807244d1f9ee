//! The address of a request: a URL that is parsed once.
//!
//! The server's own address comes from the configuration. Any other comes from a redirect, and is hostile.

use std::fmt;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;

use smcp_model::endpoint::Endpoint;
use smcp_model::endpoint::Scheme;
use smcp_model::limits;
use smcp_model::registry::RegistryUrl;
use smcp_model::text::SafeText;

/// An `http` or `https` URL without credentials and fragment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    endpoint: Endpoint,
    path: String, // INVARIANT: begins with a slash; visible ASCII without `#`; the query is part of it.
}

impl Address {
    /// The address of a server.
    pub(crate) fn of(url: &RegistryUrl) -> Self {
        Self { endpoint: url.endpoint().clone(), path: format!("{}/", url.path()) }
    }

    /// The address of `path`, which begins with a slash, below this one; `None` when a URL can't have such a path.
    pub(crate) fn below(&self, path: &str) -> Option<Self> {
        let base = self.path.trim_end_matches('/');
        Some(Self { endpoint: self.endpoint.clone(), path: checked(&format!("{base}{path}"))? })
    }

    /// The address that a redirect from here leads to. `Err` is the problem, for the message.
    pub(crate) fn follow(&self, location: &str) -> Result<Self, &'static str> {
        if location.len() > limits::http::URL {
            return Err("it is too long");
        }
        let location = location.split('#').next().unwrap_or_default();
        if let Some(rest) = location.strip_prefix("//") {
            return Self::absolute(self.endpoint.scheme(), rest);
        }
        let scheme = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic()) && !name.contains(['/', '?']);
        if let Some((name, rest)) = location.split_once(':').filter(|(name, _)| scheme(name)) {
            let scheme = Scheme::from_name(name).ok_or("only https:// is followed")?;
            return Self::absolute(scheme, rest.strip_prefix("//").ok_or("it names no host")?);
        }
        let file = self.path.split('?').next().unwrap_or_default();
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        let path = match location.chars().next() {
            None => return Err("it is empty"),
            Some('/') => location.to_owned(),
            Some('?') => format!("{file}{location}"),
            Some(_) => format!("{folder}/{location}"),
        };
        Ok(Self { endpoint: self.endpoint.clone(), path: checked(&path).ok_or("it is no URL")? })
    }

    fn absolute(scheme: Scheme, rest: &str) -> Result<Self, &'static str> {
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err("it has a user name or a password in it");
        }
        let endpoint = Endpoint::new(scheme, authority).ok_or("it names no host")?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { endpoint, path: checked(&path).ok_or("it is no URL")? })
    }

    /// The scheme, host and port.
    pub(crate) const fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The whole URL, for the request only: its query may have a signature of the storage, which is a secret.
    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.endpoint, self.path)
    }

    /// The URL without its query, for messages.
    pub(crate) fn shown(&self) -> SafeText {
        let path = self.path.split('?').next().unwrap_or_default();
        SafeText::within(&format!("{}{path}", self.endpoint), limits::http::ERROR_SHOWN)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.shown())
    }
}

/// Returns a path that needs no escaping in a request; `None` for any other.
fn checked(path: &str) -> Option<String> {
    let clean = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"#\\\"<>^`{|}".contains(&byte));
    (clean && path.starts_with('/') && path.len() <= limits::http::URL).then(|| path.to_owned())
}

/// The characters to escape: all but the unreserved ones of RFC 3986, section 2.3.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Percent-encodes a value of a query, except for unreserved characters.
pub fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use smcp_model::registry::Registry;

    /// The address of `path` below a URL of a configuration.
    fn below(text: &str, path: &str) -> Option<Address> {
        let Registry::Url(url) = Registry::from_text(text, Path::new("/"), None).unwrap() else { panic!("{text}") };
        Address::of(&url).below(path)
    }

    #[test]
    fn requests_go_below_the_server() {
        for (base, expected) in [
            ("https://r.example", "https://r.example/v1/x?ref=1"),
            ("https://r.example/a/b/", "https://r.example/a/b/v1/x?ref=1"),
            ("http://localhost:8080", "http://localhost:8080/v1/x?ref=1"),
            ("http://[::1]:8080/a", "http://[::1]:8080/a/v1/x?ref=1"),
        ] {
            assert_eq!(below(base, "/v1/x?ref=1").unwrap().url(), expected, "{base}");
        }
        assert_eq!(encoded("1.0.0+b:ü/.."), "1.0.0%2Bb%3A%C3%BC%2F..");
    }

    #[test]
    fn a_redirect_leads_to_one_place_or_nowhere() {
        let from = below("https://r.example", "/v1/a?ref=1").unwrap();
        let long = format!("/{}", "x".repeat(limits::http::URL));
        let cases = [
            ("https://s.example/blob?sig=1", Ok("https://s.example/blob?sig=1")),
            ("HTTPS://S.Example:443/blob#part", Ok("https://s.example/blob")),
            ("https://s.example", Ok("https://s.example/")),
            ("https://s.example?sig=1", Ok("https://s.example/?sig=1")),
            ("http://localhost:9/x", Ok("http://localhost:9/x")),
            ("//s.example/x", Ok("https://s.example/x")),
            ("/x", Ok("https://r.example/x")),
            ("x", Ok("https://r.example/v1/x")),
            ("?y", Ok("https://r.example/v1/a?y")),
            ("file:///etc/passwd", Err("only https:// is followed")),
            ("ftp://s.example/x", Err("only https:// is followed")),
            ("gopher:x", Err("only https:// is followed")),
            ("data:text/plain,x", Err("only https:// is followed")),
            ("https:/s.example", Err("it names no host")),
            ("https://", Err("it names no host")),
            ("https:///x", Err("it names no host")),
            ("https://user:pw@s.example/x", Err("it has a user name or a password in it")),
            ("https://r.example\\@s.example/x", Err("it has a user name or a password in it")),
            ("https://s.example/a b", Err("it is no URL")),
            ("/a\u{7f}", Err("it is no URL")),
            ("/ä", Err("it is no URL")),
            ("", Err("it is empty")),
            ("#x", Err("it is empty")),
            (long.as_str(), Err("it is too long")),
        ];
        for (location, expected) in cases {
            let followed = from.follow(location).map(|address| address.url());
            assert_eq!(followed.as_deref(), expected.as_deref(), "{location}");
        }
    }

    #[test]
    fn what_storage_signs_is_never_shown() {
        let from = below("https://r.example", "/v1").unwrap();
        let signed = from.follow("https://s.example/blob?signature=hunter2").unwrap();
        assert_eq!(format!("{signed:?} {}", signed.shown()), "Address(https://s.example/blob) https://s.example/blob");
    }
}
