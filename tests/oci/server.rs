//! A registry of images for tests: honest, unless it is told otherwise.

mod lists;
mod wire;

pub(crate) use crate::server::wire::Reply;
pub(crate) use crate::server::wire::Request;
pub(crate) use crate::server::wire::Stream;

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use serde_json::Value;
use serde_json::json;

use crate::server::wire::read;
use crate::server::wire::send;
use smcp_model::digest::Digest;

/// Wraps a connection before a request is read from it, such as in TLS.
pub(crate) type Wrap = dyn Fn(std::net::TcpStream) -> Option<Box<dyn Stream>> + Send + Sync;

/// How the registry asks who somebody is.
#[derive(Debug, Clone)]
pub(crate) enum Gate {
    /// A header `authorization` with this value.
    Basic(String),
    /// A token, which the service at this realm gives.
    Token { realm: String, token: String },
}

/// What is peculiar to this registry.
#[derive(Debug, Clone, Default)]
pub(crate) struct Habits {
    pub(crate) gate: Option<Gate>,
    /// Whether reading needs no log-in.
    pub(crate) is_public: bool,
    /// Whether it lists referrers.
    pub(crate) referrers: bool,
    /// Whether it lists its repositories.
    pub(crate) catalog: bool,
    /// How many referrers, tags or repositories one page has.
    pub(crate) page: usize,
    /// Where blobs are.
    pub(crate) storage: Option<String>,
    /// The longest body that it takes.
    pub(crate) longest_body: Option<usize>,
    /// Whether it takes pieces.
    pub(crate) refuses_pieces: bool,
    /// The least size of a piece.
    pub(crate) least_piece: Option<usize>,
    /// Whether places of uploads are whole URLs.
    pub(crate) absolute: bool,
    /// What `/token` answers, and the log-in that it wants.
    pub(crate) grants: Option<(String, Option<String>)>,
}

#[derive(Default)]
struct State {
    habits: Habits,
    blobs: BTreeMap<String, Vec<u8>>,
    /// By repository and name. What a test puts there without a repository is in each.
    manifests: BTreeMap<(String, String), (String, Vec<u8>)>,
    uploads: BTreeMap<usize, Vec<u8>>,
    begun: usize,
    scripted: Vec<(String, VecDeque<Reply>)>,
    requests: Vec<Request>,
    connections: usize,
}

/// A registry that runs until the test ends.
#[derive(Clone)]
pub(crate) struct Registry {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Registry {
    pub(crate) fn start(habits: Habits) -> Self {
        Self::wrapped(habits, Box::new(|stream| Some(Box::new(stream))))
    }

    pub(crate) fn wrapped(habits: Habits, wrap: Box<Wrap>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let registry = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        registry.state.lock().unwrap().habits = habits;
        let (served, wrap) = (registry.clone(), Arc::new(wrap));
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                served.state.lock().unwrap().connections += 1;
                let (served, wrap) = (served.clone(), wrap.clone());
                thread::spawn(move || {
                    if let Some(mut stream) = wrap(stream.unwrap()) {
                        served.serve(&mut *stream);
                    }
                });
            }
        });
        registry
    }

    /// `oci://HOST:PORT/REST`
    pub(crate) fn oci(&self, rest: &str) -> String {
        format!("oci://{}/{rest}", self.address)
    }

    pub(crate) fn url(&self, rest: &str) -> String {
        format!("http://{}/{rest}", self.address)
    }

    /// Changes what is peculiar to it.
    pub(crate) fn habits(&self, change: impl FnOnce(&mut Habits)) {
        change(&mut self.state.lock().unwrap().habits);
    }

    /// Sends these replies, one after the other, to requests whose method and path begin so.
    pub(crate) fn script(&self, line: &str, replies: impl IntoIterator<Item = Reply>) {
        self.state.lock().unwrap().scripted.push((line.to_owned(), replies.into_iter().collect()));
    }

    /// Is honest again.
    pub(crate) fn clear_scripts(&self) {
        self.state.lock().unwrap().scripted.clear();
    }

    /// Puts a blob there, and returns its descriptor.
    pub(crate) fn put_blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = Digest::of(bytes).to_string();
        self.state.lock().unwrap().blobs.insert(digest.clone(), bytes.to_vec());
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    /// Puts a manifest there under a name and its digest, and returns the digest.
    pub(crate) fn put_manifest(&self, name: &str, document: &Value) -> String {
        let (bytes, media_type) =
            (document.to_string().into_bytes(), document["mediaType"].as_str().unwrap().to_owned());
        let digest = Digest::of(&bytes).to_string();
        let mut state = self.state.lock().unwrap();
        state.manifests.retain(|(_, known), _| known != name);
        state.keep("", [name, &digest], &media_type, &bytes);
        digest
    }

    /// Puts a manifest there in one repository, under a tag and its digest, and returns the digest.
    pub(crate) fn put_tagged(&self, repository: &str, tag: &str, document: &Value) -> String {
        let media_type = document["mediaType"].as_str().unwrap();
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes).to_string();
        self.state.lock().unwrap().keep(repository, [tag, &digest], media_type, &bytes);
        digest
    }

    /// Removes a tag of a repository.
    pub(crate) fn remove_tag(&self, repository: &str, tag: &str) {
        self.state.lock().unwrap().manifests.remove(&(repository.to_owned(), tag.to_owned())).unwrap();
    }

    /// Puts the artefact of a component there under a tag, and returns the digest of its manifest.
    pub(crate) fn put_component(&self, tag: &str, component: &[u8]) -> String {
        self.put_manifest(tag, &self.component_manifest(component))
    }

    pub(crate) fn component_manifest(&self, component: &[u8]) -> Value {
        json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": self.put_blob("application/vnd.wasm.config.v0+json", b"{}"),
            "layers": [self.put_blob("application/wasm", component)],
        })
    }

    pub(crate) fn manifest(&self, name: &str) -> Option<Value> {
        let state = self.state.lock().unwrap();
        let mut named = state.manifests.iter().filter(|((_, known), _)| known == name);
        named.next().map(|(_, (_, bytes))| serde_json::from_slice(bytes).unwrap())
    }

    pub(crate) fn blob(&self, digest: &str) -> Option<Vec<u8>> {
        self.state.lock().unwrap().blobs.get(digest).cloned()
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// The method and path of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.requests().iter().map(Request::line).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    fn serve(&self, stream: &mut dyn Stream) {
        let Some(request) = read(stream) else { return };
        let reply = {
            let mut state = self.state.lock().unwrap();
            state.requests.push(request.clone());
            state.reply(&request, self.address)
        };
        // Errors are ignored: the client has given up.
        drop(send(stream, &request.method, &reply));
    }
}

impl State {
    fn reply(&mut self, request: &Request, own: SocketAddr) -> Reply {
        let line = request.line();
        let scripted =
            self.scripted.iter_mut().filter(|(start, replies)| line.starts_with(start) && !replies.is_empty());
        if let Some((_, replies)) = scripted.max_by_key(|(start, _)| start.len()) {
            return replies.pop_front().unwrap();
        }
        let path = request.path.split('?').next().unwrap();
        if path == "/token" {
            return self.grant(request);
        }
        if let Some(file) = path.strip_prefix("/files/") {
            let found = self.blobs.get(file).map(|bytes| Reply::with(200, &[], bytes));
            return found.unwrap_or_else(|| Reply::error(404, "NOT_FOUND"));
        }
        if let Some(refusal) = self.refusal(request, path) {
            return refusal;
        }
        let parts = path.strip_prefix("/v2/").unwrap_or_default();
        match parts {
            "" if path == "/v2/" => return Reply::with(200, &[("content-type", "application/json")], "{}"),
            "_catalog" => return self.catalog(request),
            _ => {}
        }
        for kind in ["/blobs/uploads/", "/blobs/", "/manifests/", "/referrers/", "/tags/"] {
            if let Some((repository, name)) = parts.split_once(kind) {
                return match kind {
                    "/blobs/uploads/" => self.upload(request, path, name, own),
                    "/blobs/" => self.blob(name),
                    "/manifests/" => self.manifest(request, repository, name),
                    "/tags/" => self.tags(request, repository),
                    _ => self.referrers(request, name),
                };
            }
        }
        Reply::error(404, "NOT_FOUND")
    }

    fn keep<'n>(&mut self, repository: &str, names: impl IntoIterator<Item = &'n str>, media_type: &str, bytes: &[u8]) {
        for name in names {
            let key = (repository.to_owned(), name.to_owned());
            self.manifests.insert(key, (media_type.to_owned(), bytes.to_vec()));
        }
    }

    /// The challenge for somebody who is not known.
    fn refusal(&self, request: &Request, path: &str) -> Option<Reply> {
        let reads = matches!(request.method.as_str(), "GET" | "HEAD");
        let gate = self.habits.gate.as_ref().filter(|_| !(self.habits.is_public && reads))?;
        let (wanted, challenge) = match gate {
            Gate::Basic(value) => (value.clone(), r#"Basic realm="r""#.to_owned()),
            Gate::Token { realm, token } => {
                let repository =
                    path.strip_prefix("/v2/").unwrap_or_default().split("/blobs").next().unwrap_or_default();
                let scope = format!("repository:{repository}:pull,push,delete");
                (format!("Bearer {token}"), format!(r#"Bearer realm="{realm}",service="r.test",scope="{scope}""#))
            }
        };
        if request.header("authorization") == Some(wanted.as_str()) {
            return None;
        }
        let Reply::Answer(status, mut headers, body) = Reply::error(401, "UNAUTHORIZED") else { return None };
        headers.push(("www-authenticate".to_owned(), challenge));
        Some(Reply::Answer(status, headers, body))
    }

    fn grant(&self, request: &Request) -> Reply {
        let Some((token, wanted)) = &self.habits.grants else { return Reply::error(404, "NOT_FOUND") };
        let is_known = wanted.as_deref().is_none_or(|wanted| {
            request.header("authorization") == Some(wanted) || String::from_utf8_lossy(&request.body).contains(wanted)
        });
        if is_known {
            Reply::with(200, &[("content-type", "application/json")], json!({"access_token": token}).to_string())
        } else {
            Reply::error(401, "UNAUTHORIZED")
        }
    }

    fn blob(&self, digest: &str) -> Reply {
        match (self.blobs.get(digest), &self.habits.storage) {
            (None, _) => Reply::error(404, "BLOB_UNKNOWN"),
            (Some(_), Some(storage)) => {
                Reply::with(307, &[("location", &format!("{storage}/files/{digest}?signature=secret"))], "")
            }
            (Some(bytes), None) => Reply::with(200, &[("content-type", "application/octet-stream")], bytes),
        }
    }

    fn upload(&mut self, request: &Request, path: &str, name: &str, own: SocketAddr) -> Reply {
        let too_long = self.habits.longest_body.is_some_and(|most| request.body.len() > most);
        let host = if self.habits.absolute { format!("http://{own}") } else { String::new() };
        match (request.method.as_str(), name.parse::<usize>()) {
            ("POST", _) => {
                self.begun += 1;
                self.uploads.insert(self.begun, Vec::new());
                let location = format!("{host}{path}{}?state=a%2Fb", self.begun);
                let least = self.habits.least_piece.map(|least| least.to_string());
                let mut headers = vec![("location", location.as_str())];
                headers.extend(least.as_deref().map(|least| ("oci-chunk-min-length", least)));
                Reply::with(202, &headers, "")
            }
            _ if too_long => Reply::error(413, "SIZE_INVALID"),
            ("PATCH", _) if self.habits.refuses_pieces => Reply::error(405, "UNSUPPORTED"),
            ("PATCH", Ok(id)) => {
                let Some(upload) = self.uploads.get_mut(&id) else { return Reply::error(404, "BLOB_UPLOAD_UNKNOWN") };
                let range = format!("{}-{}", upload.len(), upload.len() + request.body.len() - 1);
                if request.header("content-range") != Some(range.as_str()) {
                    return Reply::error(416, "RANGE_INVALID");
                }
                upload.extend(&request.body);
                Reply::with(202, &[("location", &format!("{host}{path}?state=next"))], "")
            }
            ("PUT", Ok(id)) => {
                let Some(mut upload) = self.uploads.remove(&id) else {
                    return Reply::error(404, "BLOB_UPLOAD_UNKNOWN");
                };
                upload.extend(&request.body);
                let digest = Digest::of(&upload).to_string();
                if !request.path.contains(&format!("digest={}", digest.replace(':', "%3A"))) {
                    return Reply::error(400, "DIGEST_INVALID");
                }
                self.blobs.insert(digest, upload);
                Reply::with(201, &[("location", path)], "")
            }
            _ => Reply::error(404, "NOT_FOUND"),
        }
    }

    fn manifest(&mut self, request: &Request, repository: &str, name: &str) -> Reply {
        if request.method != "PUT" {
            let places = [repository, ""].map(|place| (place.to_owned(), name.to_owned()));
            return match places.iter().find_map(|place| self.manifests.get(place)) {
                None => Reply::error(404, "MANIFEST_UNKNOWN"),
                Some((media_type, bytes)) => {
                    let digest = Digest::of(bytes).to_string();
                    Reply::with(200, &[("content-type", media_type), ("docker-content-digest", &digest)], bytes)
                }
            };
        }
        let document: Value = serde_json::from_slice(&request.body).unwrap();
        let parts = document["layers"].as_array().into_iter().flatten().chain([&document["config"]]);
        let unknown = |part: &Value| part["digest"].as_str().is_some_and(|digest| !self.blobs.contains_key(digest));
        if parts.into_iter().any(unknown) {
            return Reply::error(404, "MANIFEST_BLOB_UNKNOWN");
        }
        let digest = Digest::of(&request.body).to_string();
        let media_type = request.header("content-type").unwrap().to_owned();
        self.keep(repository, [name, &digest], &media_type, &request.body);
        let mut headers = vec![("docker-content-digest", digest.as_str())];
        if let Some(subject) = document["subject"]["digest"].as_str().filter(|_| self.habits.referrers) {
            headers.push(("oci-subject", subject));
        }
        Reply::with(201, &headers, "")
    }
}
