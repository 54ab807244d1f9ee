//! The registry's API as a type: what a request asks for.
//!
//! Each part of a path is percent-decoded once and then parsed. Nothing becomes a part of a file's path unparsed.

use std::str::FromStr;

use hyper::StatusCode;

use smcp_model::digest::Digest;
use smcp_model::name::PackageId;
use smcp_model::name::PackageWord;
use smcp_model::package::PackageRef;
use smcp_model::package::Version;
use smcp_registry::Artifact;

/// A request that the registry can answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// The version that a reference means.
    Resolve(PackageRef),
    /// One of a version's files.
    Artifact(Artifact, Digest),
    /// The signed statements about a version with this manifest. This path is smcp's own.
    Statements(PackageId, Version, Digest),
    /// The list of packages.
    Catalog,
    /// The check that the server runs.
    Health,
}

/// The error that answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rejection {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Rejection {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }
}

/// Parses a path and a query.
pub(super) fn route(path: &str, query: Option<&str>) -> Result<Route, Rejection> {
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["healthz"] => Ok(Route::Health),
        ["v1", "catalog"] => Ok(Route::Catalog),
        ["v1", "org", org, "mcps", name, "resolve"] => {
            let id = PackageId { org: word(org)?, name: word(name)? };
            let asked = parameter(query, "ref", "a version, `latest` or a digest")?;
            parse(&format!("{id}@{asked}")).map(Route::Resolve)
        }
        ["v1", "org", org, "mcps", name, "statements"] => {
            let id = PackageId { org: word(org)?, name: word(name)? };
            let version = parse(&parameter(query, "ref", "a version")?)?;
            let manifest = parse(&parameter(query, "manifest", "the digest of its manifest")?)?;
            Ok(Route::Statements(id, version, manifest))
        }
        ["v1", "org", org, "artifacts", digest, kind @ ("manifest" | "bundle")] => {
            word(org)?;
            let artifact = if *kind == "manifest" { Artifact::Manifest } else { Artifact::Bundle };
            Ok(Route::Artifact(artifact, parse(&decoded(digest)?)?))
        }
        _ => Err(Rejection::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing at this path")),
    }
}

/// A parameter of a query, which must have exactly one of this name. A `+` means itself: versions have it, and never spaces.
fn parameter(query: Option<&str>, wanted: &str, what: &str) -> Result<String, Rejection> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let given: Vec<&str> = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect();
    match given.as_slice() {
        [one] => decoded(one),
        [] => Err(Rejection::malformed(format!("the query parameter `{wanted}` is missing: {what}"))),
        _ => Err(Rejection::malformed(format!("the query parameter `{wanted}` is given more than once"))),
    }
}

fn word(text: &str) -> Result<PackageWord, Rejection> {
    parse(&decoded(text)?)
}

fn parse<T: FromStr<Err: ToString>>(text: &str) -> Result<T, Rejection> {
    text.parse().map_err(|error: T::Err| {
        let message = error.to_string();
        Rejection::malformed(message.lines().next().unwrap_or_default())
    })
}

/// Undoes percent-encoding once.
fn decoded(text: &str) -> Result<String, Rejection> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let decoded = match byte {
            b'%' => digit(rest.next()).zip(digit(rest.next())).map(|(high, low)| high << 4 | low),
            other => Some(other),
        };
        bytes.push(
            decoded.ok_or_else(|| Rejection::malformed("a `%` in the address is not followed by two hex digits"))?,
        );
    }
    String::from_utf8(bytes).map_err(|_| Rejection::malformed("the address is not UTF-8 once it is decoded"))
}

fn digit(byte: Option<u8>) -> Option<u8> {
    u8::try_from(char::from(byte?).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests;
