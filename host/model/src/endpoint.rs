//! The server at an address: scheme, host and port. A token belongs to one.

use std::fmt;
use std::net::IpAddr;

/// The protocol that a registry is reached by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// Encrypted, and the server proves its identity.
    Https,
    /// Neither encrypted nor authenticated; on this machine only.
    Http,
}

impl Scheme {
    /// The scheme with this name, in upper or lower case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Https, Self::Http].into_iter().find(|known| known.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name as written in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }

    /// The port when a URL has no port.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// Scheme, host and port. URLs whose endpoints are equal are answered by the same server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    scheme: Scheme,
    host: String, // INVARIANT: lower case, visible ASCII without `/ ? # @ \`; brackets around an IPv6 address.
    port: u16,
}

impl Endpoint {
    /// Reads the part of a URL before the path: `scheme`, and `authority` (`host` or `host:port`).
    ///
    /// `None` when the host is missing or follows a user or a password, or when the port is not a port number.
    pub fn new(scheme: Scheme, authority: &str) -> Option<Self> {
        let authority = authority.to_ascii_lowercase();
        let (host, port) = match authority.strip_prefix('[') {
            Some(six) => {
                let (address, port) = six.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                (authority.get(..address.len().checked_add(2)?)?, port)
            }
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let clean = host.bytes().all(|byte| byte.is_ascii_graphic() && !b"/?#@\\%\"<>^`{|}".contains(&byte));
        let port = match port.strip_prefix(':') {
            None if !port.is_empty() => return None,
            None | Some("") => scheme.default_port(),
            Some(number) => number.parse().ok().filter(|_| !number.starts_with('+'))?,
        };
        (clean && !host.is_empty()).then(|| Self { scheme, host: host.to_owned(), port })
    }

    /// The endpoint of a known host at the default port of HTTPS.
    pub(crate) fn https(host: &'static str) -> Self {
        Self { scheme: Scheme::Https, host: host.to_owned(), port: Scheme::Https.default_port() }
    }

    /// Another host with the same scheme and port.
    #[must_use]
    pub fn at(&self, host: &'static str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// The protocol that it is reached by.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The host; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether the host is this machine by its name alone: no resolver is asked.
    pub fn is_loopback(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        self.host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_has_one_spelling() {
        let cases = [
            (Scheme::Https, "R.Example", Some(("https://r.example", false))),
            (Scheme::Https, "r.example:443", Some(("https://r.example", false))),
            (Scheme::Https, "r.example:", Some(("https://r.example", false))),
            (Scheme::Https, "r.example:80", Some(("https://r.example:80", false))),
            (Scheme::Http, "localhost:80", Some(("http://localhost", true))),
            (Scheme::Http, "127.0.0.1:8080", Some(("http://127.0.0.1:8080", true))),
            (Scheme::Http, "[::1]:8080", Some(("http://[::1]:8080", true))),
            (Scheme::Https, "[2001:DB8::1]", Some(("https://[2001:db8::1]", false))),
            (Scheme::Https, "localhost.evil.example", Some(("https://localhost.evil.example", false))),
            (Scheme::Https, "", None),
            (Scheme::Https, ":443", None),
            (Scheme::Https, "user@r.example", None),
            (Scheme::Https, "user:password@r.example", None),
            (Scheme::Https, "r.example:99999", None),
            (Scheme::Https, "r.example:+443", None),
            (Scheme::Https, "r.example:44 3", None),
            (Scheme::Https, "r example", None),
            (Scheme::Https, "r.example\\evil", None),
            (Scheme::Https, "[::1", None),
            (Scheme::Https, "[::1]x", None),
            (Scheme::Https, "[r.example]", None),
        ];
        for (scheme, authority, expected) in cases {
            let read = Endpoint::new(scheme, authority);
            let shown = read.map(|endpoint| (endpoint.to_string(), endpoint.is_loopback()));
            assert_eq!(shown, expected.map(|(text, loopback)| (text.to_owned(), loopback)), "{authority}");
        }
    }
}
