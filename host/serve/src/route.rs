//! The registry's API as a type: what a request asks for.
//!
//! Each part of a path is percent-decoded once and then parsed. Nothing becomes a part of a file's path unparsed.

use std::str::FromStr;

use hyper::StatusCode;

use smcp_model::digest::Digest;
use smcp_model::limits::official;
use smcp_model::name::PackageId;
use smcp_model::name::PackageWord;
use smcp_model::package::PackageRef;
use smcp_model::package::Selector;
use smcp_model::package::Version;
use smcp_registry::Artifact;
use smcp_registry::ServerQuery;

/// The parameter by which versions that never run are asked for, too.
const DELETED: &str = "include_deleted";
/// The parameter by which only what has changed is asked for.
const SINCE: &str = "updated_since";
/// How many servers are on a page when nobody says.
const LIMIT: usize = 30;

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
    /// A page of the list of servers, in the words of the official registry's API.
    Servers(ServerQuery),
    /// Every version of a server, and whether those that never run are among them.
    ServerVersions(PackageId, bool),
    /// One version of a server, whether or not it never runs.
    Server(PackageRef, bool),
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
        ["v0.1", "servers"] => server_query(query).map(Route::Servers),
        ["v0.1", "servers", name, "versions"] => {
            Ok(Route::ServerVersions(parse(&decoded(name)?)?, optional(query, DELETED)?.as_deref() == Some("true")))
        }
        ["v0.1", "servers", name, "versions", version] => {
            let wanted = parse(&format!("{}@{}", decoded(name)?, decoded(version)?))?;
            Ok(Route::Server(wanted, optional(query, DELETED)?.as_deref() == Some("true")))
        }
        _ => Err(Rejection::new(StatusCode::NOT_FOUND, "no-such-path", "there is nothing at this path")),
    }
}

/// Reads what a list of servers is asked for. What the API has and this registry knows nothing of is passed over: the list
/// has more then, and not less.
fn server_query(query: Option<&str>) -> Result<ServerQuery, Rejection> {
    let after = match optional(query, "cursor")?.filter(|cursor| !cursor.is_empty()) {
        None => None,
        Some(cursor) => {
            let wrong = || Rejection::malformed("`cursor` is none that this list has given");
            let PackageRef { id, selector } = cursor.parse().map_err(|_| wrong())?;
            let Selector::Exact(version) = selector else { return Err(wrong()) };
            Some((id, version))
        }
    };
    let limit = match optional(query, "limit")? {
        None => LIMIT,
        Some(limit) => {
            let limit = limit.parse::<usize>().ok().filter(|limit| *limit > 0);
            let wrong = || Rejection::malformed("`limit` is no number above zero");
            limit.ok_or_else(wrong)?.min(official::LISTED_AT_ONCE)
        }
    };
    let version = match optional(query, "version")?.as_deref() {
        None | Some("") => None,
        Some("latest") => Some(Selector::Latest),
        Some(version) => Some(Selector::Exact(parse(version)?)),
    };
    let search = optional(query, "search")?.map(|search| search.to_lowercase()).filter(|search| !search.is_empty());
    // Who asks what has changed wants to know what is gone.
    let deleted_too = optional(query, DELETED)?.as_deref() == Some("true") || optional(query, SINCE)?.is_some();
    Ok(ServerQuery { after, limit, search, version, deleted_too })
}

/// A parameter of a query, which must have exactly one of this name. A `+` means itself: versions have it, and never spaces.
fn parameter(query: Option<&str>, wanted: &str, what: &str) -> Result<String, Rejection> {
    let missing = || Rejection::malformed(format!("the query parameter `{wanted}` is missing: {what}"));
    optional(query, wanted)?.ok_or_else(missing)
}

/// A parameter of a query, which must not have two of this name.
fn optional(query: Option<&str>, wanted: &str) -> Result<Option<String>, Rejection> {
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let given: Vec<&str> = pairs.filter(|(name, _)| *name == wanted).map(|(_, value)| value).collect();
    match given.as_slice() {
        [one] => decoded(one).map(Some),
        [] => Ok(None),
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
