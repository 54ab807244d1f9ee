//! Turns a request into an answer with all its headers.
//!
//! Looking up an answer reads files, so it is done on a thread that may block. A fault of the request is explained to
//! the client. A fault of the registry is explained to its operator; the client is told only that there is one.

use std::fs::File;
use std::sync::Arc;

use http_body_util::Either;
use http_body_util::Full;
use hyper::Method;
use hyper::Request;
use hyper::Response;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header;
use hyper::header::HeaderMap;
use hyper::header::HeaderName;
use hyper::header::HeaderValue;
use serde_json::Value;
use serde_json::json;
use tokio::task::spawn_blocking;

use crate::SharedState;
use crate::body::AnswerBody;
use crate::body::Outlet;
use crate::body::Pieces;
use crate::route::Rejection;
use crate::route::Route;
use crate::route::route;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::exit::ExitKind;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::text::SafeText;
use smcp_registry::Artifact;
use smcp_registry::Listed;
use smcp_registry::ListedServers;
use smcp_registry::PackageError;
use smcp_registry::RegistryProblem;
use smcp_registry::VersionProblem;

/// Where the paths of the official registry's API begin.
const OFFICIAL: &str = "/v0.1/";
const SERVER: HeaderValue = HeaderValue::from_static(concat!("smcp/", env!("CARGO_PKG_VERSION")));
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const GZIP: HeaderValue = HeaderValue::from_static("application/gzip");
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD");
/// Pages of other hosts may read the list of servers, as what everybody can read anyway.
const CROSS_ORIGIN: [(HeaderName, HeaderValue); 3] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, OPTIONS")),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Authorization, Content-Type")),
];
/// For files that are named by their digest, which never change.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// For documents on versions, which may change at any time.
const FRESH: HeaderValue = HeaderValue::from_static("no-cache");

/// The result of looking up a request.
enum FoundResource {
    Document(Value),
    File {
        artifact: Artifact,
        digest: Digest,
        file: File,
        length: u64,
    },
    /// A document that is made while it is sent.
    List(Pieces),
    /// The client has it already.
    Unchanged {
        digest: Digest,
    },
    /// The headers are the answer.
    Nothing,
}

/// Answers one request.
pub(super) async fn answer<B>(request: Request<B>, shared: Arc<SharedState>) -> Response<AnswerBody> {
    let (method, path) = (request.method(), SafeText::within(request.uri().path(), limits::NAME_SHOWN));
    let is_official = request.uri().path().starts_with(OFFICIAL);
    let found = match *method {
        Method::GET | Method::HEAD => match route(request.uri().path(), request.uri().query()) {
            Ok(route) => look_up(route, request.headers(), &shared).await,
            Err(rejection) => Err(rejection),
        },
        // A browser asks this before it lets a page of another host ask.
        Method::OPTIONS if is_official => Ok(FoundResource::Nothing),
        _ => Err(Rejection::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "only GET and HEAD are served")),
    };
    let mut response = found.map_or_else(|rejection| rejected(&rejection, is_official), respond);
    if is_official {
        response.headers_mut().extend(CROSS_ORIGIN);
    }
    response.headers_mut().insert(header::SERVER, SERVER);
    tracing::info!(%method, %path, status = response.status().as_u16(), "answered");
    if *method == Method::HEAD {
        // The headers are those of the answer to GET, its length among them.
        *response.body_mut() = Either::Left(Full::default());
    }
    response
}

async fn look_up(route: Route, headers: &HeaderMap, shared: &Arc<SharedState>) -> Result<FoundResource, Rejection> {
    if let Route::Artifact(_, digest) = &route
        && headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| names(tags, digest))
    {
        return Ok(FoundResource::Unchanged { digest: *digest });
    }
    let searching = Arc::clone(shared);
    match spawn_blocking(move || search(&route, &searching)).await {
        Ok(found) => found.map_err(|error| explain(&error, shared)),
        // The thread panicked, and the panic was reported on standard error.
        Err(_) => Err(Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed")),
    }
}

fn search(route: &Route, shared: &Arc<SharedState>) -> Result<FoundResource, PackageError> {
    let deadline = Deadline::after(limits::SERVE_ANSWER_TIME);
    match route {
        Route::Health => Ok(FoundResource::Document(json!({"status": "ok"}))),
        Route::Resolve(wanted) => shared.registry.document(wanted, &deadline).map(FoundResource::Document),
        Route::Catalog => catalog(shared),
        Route::Statements(id, version, manifest) => {
            deadline.check()?;
            shared.registry.stated(id, version, manifest).map(FoundResource::Document)
        }
        Route::Servers(query) => shared.registry.servers(query, &deadline).map(|listed| told(listed, shared)),
        Route::ServerVersions(id, deleted_too) => {
            let listed = shared.registry.server_versions(id, *deleted_too, &deadline)?;
            listed.map(|listed| told(listed, shared)).ok_or_else(|| shared.registry.no_server(id))
        }
        Route::Server(wanted, deleted_too) => {
            let found = shared.registry.server(wanted, *deleted_too, &deadline)?;
            found.map(FoundResource::Document).ok_or_else(|| shared.registry.no_server_version(wanted))
        }
        Route::Artifact(artifact, digest) => {
            let (file, length) = shared.registry.verified(*artifact, digest, &deadline)?;
            Ok(FoundResource::File { artifact: *artifact, digest: *digest, file, length })
        }
    }
}

/// A list of servers; the operator hears what is missing in it.
fn told(listed: ListedServers, shared: &SharedState) -> FoundResource {
    let ListedServers { document, problems } = listed;
    problems.iter().for_each(|problem| (shared.complain)(&format!("a server is not listed: {problem}")));
    FoundResource::Document(document)
}

/// The whole catalogue, sent while it is read. An error at the beginning is an answer of its own; a later one breaks
/// the answer off.
fn catalog(shared: &Arc<SharedState>) -> Result<FoundResource, PackageError> {
    drop(shared.registry.catalog(&Deadline::after(limits::SERVE_ANSWER_TIME))?);
    let (mut outlet, pieces) = Pieces::channel();
    let shared = Arc::clone(shared);
    drop(spawn_blocking(move || {
        let deadline = Deadline::after(limits::SERVE_CATALOG_TIME);
        match list(&shared, &deadline, &mut outlet) {
            Ok(()) => outlet.finish(),
            Err(error) => {
                (shared.complain)(&error.sentence());
                outlet.fail();
            }
        }
    }));
    Ok(FoundResource::List(pieces))
}

fn list(shared: &SharedState, deadline: &Deadline, outlet: &mut Outlet) -> Result<(), PackageError> {
    outlet.write("{\"packages\":[");
    for (count, listed) in shared.registry.catalog(deadline)?.enumerate() {
        let Listed { id, latest, problem } = listed?;
        if let Some(problem) = problem {
            (shared.complain)(&format!("{id} is listed without a latest version: {problem}"));
        }
        let latest = latest.map(|version| version.to_string());
        let entry = json!({"package": id.to_string(), "visibility": "public", "latest_version": latest});
        if !outlet.write(&format!("{}{entry}", if count == 0 { "" } else { "," })) {
            return Ok(());
        }
    }
    outlet.write("]}");
    Ok(())
}

/// Whether a client's list of tags has a digest.
fn names(tags: &HeaderValue, digest: &Digest) -> bool {
    let tag = tag(digest);
    tags.to_str().is_ok_and(|tags| tags.split(',').any(|one| one.trim().trim_start_matches("W/") == tag))
}

fn tag(digest: &Digest) -> String {
    format!("\"{digest}\"")
}

/// Whether the question is to blame, and not the registry: a digest of several versions.
fn is_ambiguous(error: &PackageError) -> bool {
    matches!(error, PackageError::Version(error) if matches!(error.problem, VersionProblem::AmbiguousDigest { .. }))
}

/// Whether the statements about a version are not what they should be. The rest of the registry is in order, and it is no
/// outage: whoever asks must not go by older ones.
fn is_about_statements(error: &PackageError) -> bool {
    matches!(error, PackageError::Version(error) if matches!(error.problem, VersionProblem::Statements(_)))
}

/// Turns an error into a rejection. Messages for clients never name a path of this machine.
fn explain(error: &PackageError, shared: &SharedState) -> Rejection {
    let problem = if let PackageError::Registry(error) = error { Some(&error.problem) } else { None };
    let message = if let Some(RegistryProblem::NoSuchPackage { id, .. }) = problem {
        format!("there is no package `{id}`")
    } else if let Some(RegistryProblem::NoSuchVersion { id, wanted, hint }) = problem {
        let hint = hint.lines().map(str::trim).collect::<Vec<_>>().join("; ");
        format!("there is no version `{wanted}` of `{id}`; {hint}")
    } else if let Some(RegistryProblem::MissingBlob { artifact, digest }) = problem {
        format!("there is no {artifact} {digest}")
    } else if is_ambiguous(error) {
        error.sentence()
    } else if is_about_statements(error) {
        (shared.complain)(&error.sentence());
        let message = "the signed statements about this version are too many; who runs the registry has been told";
        return Rejection::new(StatusCode::UNPROCESSABLE_ENTITY, error.code(), message);
    } else {
        (shared.complain)(&error.sentence());
        let status = if error.exit_kind() == ExitKind::Timeout {
            StatusCode::SERVICE_UNAVAILABLE
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        return Rejection::new(status, error.code(), "the registry is not in order; who runs it has been told why");
    };
    Rejection::new(StatusCode::NOT_FOUND, error.code(), message)
}

fn rejected(rejection: &Rejection, is_official: bool) -> Response<AnswerBody> {
    let message = SafeText::within(&rejection.message, limits::MESSAGE);
    let error = if is_official {
        json!({"error": message})
    } else {
        json!({"error": {"code": rejection.code, "message": message, "details": {}}})
    };
    let mut response = document(&error);
    *response.status_mut() = rejection.status;
    if rejection.status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(header::ALLOW, METHODS);
    }
    response
}

fn respond(found: FoundResource) -> Response<AnswerBody> {
    match found {
        FoundResource::Document(value) => document(&value),
        FoundResource::List(pieces) => {
            let mut response = Response::new(Either::Right(pieces));
            response.headers_mut().insert(header::CONTENT_TYPE, JSON);
            response.headers_mut().insert(header::CACHE_CONTROL, FRESH);
            response
        }
        FoundResource::Unchanged { digest } => {
            let mut response = Response::new(Either::Left(Full::default()));
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            lasting(response.headers_mut(), &digest);
            response
        }
        FoundResource::Nothing => {
            let mut response = Response::new(Either::Left(Full::default()));
            *response.status_mut() = StatusCode::NO_CONTENT;
            response
        }
        FoundResource::File { artifact, digest, file, length } => {
            let mut response = Response::new(Either::Right(Pieces::of_file(file, length)));
            let kind = match artifact {
                Artifact::Manifest => JSON,
                Artifact::Bundle => GZIP,
            };
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, kind);
            headers.insert(header::CONTENT_LENGTH, length.into());
            lasting(headers, &digest);
            response
        }
    }
}

fn document(value: &Value) -> Response<AnswerBody> {
    let text = value.to_string();
    let length = number::wide(text.len());
    let mut response = Response::new(Either::Left(Full::new(Bytes::from(text))));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, JSON);
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::CACHE_CONTROL, FRESH);
    response
}

fn lasting(headers: &mut HeaderMap, digest: &Digest) {
    headers.insert(header::CACHE_CONTROL, FOREVER);
    // A digest has only letters, digits and a colon.
    if let Ok(tag) = HeaderValue::from_str(&tag(digest)) {
        headers.insert(header::ETAG, tag);
    }
}
