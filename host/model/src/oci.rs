//! A reference to an artefact in a registry of images: `oci://HOST/REPO:TAG`.

mod place;

pub use crate::oci::place::OciPlace;
pub use crate::oci::place::PLACE_GRAMMAR;
pub use crate::oci::place::UnplacedPackage;
pub use crate::oci::place::version_of;

use std::fmt;
use std::str::FromStr;

use crate::digest::Digest;
use crate::endpoint::Endpoint;
use crate::endpoint::Scheme;
use crate::limits;
use crate::registry::without_secrets;
use crate::text::SafeText;

/// The start of every reference.
pub const SCHEME: &str = "oci://";
/// The tag of a reference that names neither a tag nor a digest.
const LATEST: &str = "latest";

/// A text is no reference to an artefact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is no reference to an artefact: {problem}\n  expected {GRAMMAR}")]
pub struct OciReferenceError {
    found: SafeText,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The grammar, for messages.
pub const GRAMMAR: &str = "oci://HOST[:PORT]/REPO[:TAG][@sha256:DIGEST]";

/// A server with repositories; spoken to without TLS only on this machine.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciHost(Endpoint); // INVARIANT: `http` for a loopback address and `localhost`, `https` for any other.

impl OciHost {
    /// Reads `HOST` or `HOST:PORT`.
    pub fn new(authority: &str) -> Option<Self> {
        let secure = Endpoint::new(Scheme::Https, authority).filter(|_| !authority.ends_with(':'))?;
        let here = || Endpoint::new(Scheme::Http, authority);
        if secure.is_loopback() { here().map(Self) } else { Some(Self(secure)) }
    }

    /// The server.
    pub const fn endpoint(&self) -> &Endpoint {
        &self.0
    }

    /// `HOST` or `HOST:PORT`, as log-ins are kept for it.
    pub fn authority(&self) -> String {
        let Self(endpoint) = self;
        let port = if endpoint.port() == endpoint.scheme().default_port() {
            String::new()
        } else {
            format!(":{}", endpoint.port())
        };
        format!("{}{port}", endpoint.host())
    }
}

impl fmt::Display for OciHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.authority())
    }
}

/// A reads `oci://HOST[:PORT]`, with or without a repository behind it: whom a log-in is for.
impl FromStr for OciHost {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, OciReferenceError> {
        let fail = |problem| OciReferenceError { found: SafeText::quoted(&without_secrets(text)), problem };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| fail("it does not begin with oci://"))?;
        let authority = rest.split('/').next().unwrap_or_default();
        Self::new(authority).ok_or_else(|| fail("it names no host"))
    }
}

/// A repository of a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciRepository {
    host: OciHost,
    name: String, // INVARIANT: see `is_repository`.
}

impl OciRepository {
    /// The server.
    pub const fn host(&self) -> &OciHost {
        &self.host
    }

    /// Its name on the server, in lower case, with slashes.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for OciRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.name)
    }
}

/// An artefact in a repository, by a tag, a digest or both. The digest is that of its manifest, and counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OciReference {
    repository: OciRepository,
    tag: Option<String>, // INVARIANT: see `is_tag`.
    digest: Option<Digest>,
}

impl OciReference {
    /// The repository.
    pub const fn repository(&self) -> &OciRepository {
        &self.repository
    }

    /// The digest of its manifest, if it names one.
    pub const fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The tag; `latest` where it names neither a tag nor a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref().or_else(|| self.digest.is_none().then_some(LATEST))
    }

    /// The same artefact as long as its bytes are the same: by this digest.
    #[must_use]
    pub fn at(&self, digest: Digest) -> Self {
        Self { digest: Some(digest), ..self.clone() }
    }
}

impl fmt::Display for OciReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.repository.fmt(f)?;
        self.tag.iter().try_for_each(|tag| write!(f, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(f, "@{digest}"))
    }
}

impl FromStr for OciReference {
    type Err = OciReferenceError;

    fn from_str(text: &str) -> Result<Self, OciReferenceError> {
        let fail = |problem| OciReferenceError { found: SafeText::quoted(&without_secrets(text)), problem };
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| fail("it does not begin with oci://"))?;
        let (authority, path) = rest.split_once('/').ok_or_else(|| fail("it names no repository"))?;
        if authority.contains('@') {
            return Err(fail("it has a user name or a password in it: log in with smcp login"));
        }
        let host = OciHost::new(authority).ok_or_else(|| fail("it names no host"))?;
        let (named, digest) = match path.split_once('@') {
            None => (path, None),
            Some((named, digest)) => {
                let digest = digest.parse().map_err(|_| fail("behind @ is no sha256: and 64 lower-case hex digits"))?;
                (named, Some(digest))
            }
        };
        let (name, tag) = match named.split_once(':') {
            None => (named, None),
            Some((name, tag)) => (name, Some(tag)),
        };
        if !is_repository(name) {
            return Err(fail(place::REPOSITORY_SHAPE));
        }
        if name.len() > limits::oci::REPOSITORY {
            return Err(fail("the name of the repository is too long"));
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(fail(
                "a tag is 1 to 128 letters, digits, underscores, dots and hyphens, and begins with none of \
                             the last two",
            ));
        }
        let repository = OciRepository { host, name: name.to_owned() };
        Ok(Self { repository, tag: tag.map(str::to_owned), digest })
    }
}

/// Whether a text is the name of a repository by the distribution specification: components of lower-case letters and
/// digits, with `.`, `_`, `__` or hyphens between them, separated by slashes.
fn is_repository(name: &str) -> bool {
    name.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let separators = component.split(is_word).filter(|separator| !separator.is_empty());
    let between =
        |separator: &str| matches!(separator, "." | "_" | "__") || separator.bytes().all(|letter| letter == b'-');
    component.starts_with(is_word) && component.ends_with(is_word) && separators.into_iter().all(between)
}

fn is_tag(tag: &str) -> bool {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    (1..=limits::oci::TAG).contains(&tag.len())
        && tag.starts_with(is_word)
        && tag.chars().all(|letter| is_word(letter) || matches!(letter, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_by_the_grammar_of_registries() {
        let digest = Digest::of(b"x");
        let long = format!("oci://r.example/{}", "a".repeat(limits::oci::REPOSITORY));
        let cases = [
            ("oci://r.example/a".to_owned(), Ok(("https://r.example", "a", Some("latest"), false))),
            ("oci://R.Example:443/a/b:1.0".to_owned(), Ok(("https://r.example", "a/b", Some("1.0"), false))),
            (format!("oci://r.example/a@{digest}"), Ok(("https://r.example", "a", None, true))),
            (format!("oci://r.example/a:T_x-1.@{digest}"), Ok(("https://r.example", "a", Some("T_x-1."), true))),
            ("oci://localhost:5000/a".to_owned(), Ok(("http://localhost:5000", "a", Some("latest"), false))),
            ("oci://127.0.0.2/a".to_owned(), Ok(("http://127.0.0.2", "a", Some("latest"), false))),
            ("oci://[::1]:5000/a".to_owned(), Ok(("http://[::1]:5000", "a", Some("latest"), false))),
            ("oci://localhost.example/a".to_owned(), Ok(("https://localhost.example", "a", Some("latest"), false))),
            (
                "oci://r.example/a.b_c__d---e/0".to_owned(),
                Ok(("https://r.example", "a.b_c__d---e/0", Some("latest"), false)),
            ),
            (long.clone(), Ok(("https://r.example", &long[16..], Some("latest"), false))),
            (format!("{long}a"), Err("too long")),
            ("https://r.example/a".to_owned(), Err("oci://")),
            ("oci://r.example".to_owned(), Err("no repository")),
            ("oci://r.example/".to_owned(), Err("a repository is")),
            ("oci:///a".to_owned(), Err("no host")),
            ("oci://r.example:/a".to_owned(), Err("no host")),
            ("oci://r.example:99999/a".to_owned(), Err("no host")),
            ("oci://me:hunter2@r.example/a".to_owned(), Err("user name")),
            ("oci://r.example/A".to_owned(), Err("a repository is")),
            ("oci://r.example/a//b".to_owned(), Err("a repository is")),
            ("oci://r.example/a/".to_owned(), Err("a repository is")),
            ("oci://r.example/../a".to_owned(), Err("a repository is")),
            ("oci://r.example/a..b".to_owned(), Err("a repository is")),
            ("oci://r.example/a___b".to_owned(), Err("a repository is")),
            ("oci://r.example/a_.b".to_owned(), Err("a repository is")),
            ("oci://r.example/-a".to_owned(), Err("a repository is")),
            ("oci://r.example/a?x".to_owned(), Err("a repository is")),
            ("oci://r.example/a:".to_owned(), Err("a tag is")),
            ("oci://r.example/a:.x".to_owned(), Err("a tag is")),
            ("oci://r.example/a:x/y".to_owned(), Err("a tag is")),
            (format!("oci://r.example/a:{}", "x".repeat(129)), Err("a tag is")),
            ("oci://r.example/a@sha256:00".to_owned(), Err("behind @")),
            (format!("oci://r.example/a@sha512:{}", "0".repeat(128)), Err("behind @")),
            (format!("oci://r.example/a@{digest}@{digest}"), Err("behind @")),
        ];
        for (text, expected) in cases {
            match (text.parse::<OciReference>(), expected) {
                (Ok(read), Ok((host, name, tag, has_digest))) => {
                    let repository = read.repository();
                    assert_eq!(repository.host().endpoint().to_string(), host, "{text}");
                    assert_eq!((repository.name(), read.tag()), (name, tag), "{text}");
                    assert_eq!(read.digest().is_some(), has_digest, "{text}");
                    assert_eq!(read.to_string().parse::<OciReference>().unwrap(), read, "{text}");
                }
                (Err(error), Err(says)) => {
                    let message = error.to_string();
                    assert!(message.contains(says) && message.contains(GRAMMAR), "{text}: {message}");
                    assert!(!message.contains("hunter2"), "{message}");
                }
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn a_log_in_is_for_a_host() {
        for (text, authority) in [
            ("oci://ghcr.io", "ghcr.io"),
            ("oci://R.example:5000/a/b", "r.example:5000"),
            ("oci://localhost:80", "localhost"),
        ] {
            assert_eq!(text.parse::<OciHost>().unwrap().authority(), authority, "{text}");
        }
        assert!("ghcr.io".parse::<OciHost>().is_err());
    }
}
