//! A scripted registry: a socket, and the bytes to send for each path.

use std::collections::HashMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

/// The reply to one request; the connection is closed after it.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, and then nothing until the client gives up.
    Stall(Vec<u8>),
    /// These bytes, and then the second ones again and again until the client gives up.
    Endless(Vec<u8>, Vec<u8>),
}

impl Reply {
    /// Makes an answer with the right length.
    pub(crate) fn ok(body: impl AsRef<[u8]>) -> Self {
        Self::with(200, &[], body)
    }

    /// Makes an answer with a status, further headers, and the right length.
    pub(crate) fn with(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len().to_string();
        Self::Bytes(message(status, &[headers, &[("content-length", length.as_str())]].concat(), body.as_ref()))
    }

    /// Makes an error with a status and the registry's own message.
    pub(crate) fn error(status: u16, text: &str) -> Self {
        let body = serde_json::json!({"error": {"code": "failed", "message": text}});
        Self::with(status, &[("content-type", "application/json")], body.to_string())
    }

    /// Makes a redirect.
    pub(crate) fn to(location: &str) -> Self {
        Self::with(302, &[("location", location)], "")
    }

    /// Makes an answer of these exact bytes, valid or not.
    pub(crate) fn raw(text: impl AsRef<[u8]>) -> Self {
        Self::Bytes(text.as_ref().to_vec())
    }
}

/// Returns the head and body of an answer, with only these headers.
pub(crate) fn message(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n").into_bytes();
    for (name, value) in headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(body);
    bytes
}

/// A request that arrived.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
}

/// The replies for each path, in order; the last one is repeated.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    replies: HashMap<String, Vec<Reply>>,
    otherwise: Option<Answers>,
}

/// Answers to the paths of which a script knows nothing.
#[derive(Clone)]
pub(crate) struct Answers(Arc<Answering>);

type Answering = dyn Fn(&str) -> Option<Reply> + Send + Sync;

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Answers")
    }
}

impl Script {
    /// Sends `reply` for paths that begin with `path`, instead of any other reply.
    pub(crate) fn set(&mut self, path: &str, reply: Reply) {
        self.replies.insert(path.to_owned(), vec![reply]);
    }

    /// Sends these replies one after the other.
    pub(crate) fn set_each(&mut self, path: &str, replies: Vec<Reply>) {
        self.replies.insert(path.to_owned(), replies);
    }

    /// Answers by `answers` where nothing else is set.
    pub(crate) fn otherwise(answers: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self { replies: HashMap::new(), otherwise: Some(Answers(Arc::new(answers))) }
    }

    fn next(&mut self, path: &str) -> Reply {
        let known =
            self.replies.keys().filter(|known| path.starts_with(*known)).max_by_key(|known| known.len()).cloned();
        let Some(replies) = known.and_then(|known| self.replies.get_mut(&known)) else {
            let otherwise = self.otherwise.as_ref().and_then(|answers| (answers.0)(path));
            return otherwise.unwrap_or_else(|| Reply::error(404, "there is nothing here"));
        };
        if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() }
    }
}

/// Wraps a connection before a request is read from it.
pub(crate) trait Wrap: Send + Sync + 'static {
    /// Returns the connection as the registry sees it; `None` if there is no request.
    fn wrap(&self, stream: TcpStream) -> Option<Box<dyn Stream>>;
}

/// A connection.
pub(crate) trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

struct Plain;

impl Wrap for Plain {
    fn wrap(&self, stream: TcpStream) -> Option<Box<dyn Stream>> {
        Some(Box::new(stream))
    }
}

/// A registry that runs until the test ends.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<usize>>,
}

impl Server {
    pub(crate) fn start(script: Script) -> Self {
        Self::wrapped(script, Plain)
    }

    /// Makes the script once the address is known, for registries that name themselves.
    pub(crate) fn start_with(script: impl FnOnce(SocketAddr) -> Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let script = script(listener.local_addr().unwrap());
        Self::listen(listener, script, Plain)
    }

    pub(crate) fn wrapped(script: Script, wrap: impl Wrap) -> Self {
        Self::listen(TcpListener::bind("127.0.0.1:0").unwrap(), script, wrap)
    }

    fn listen(listener: TcpListener, script: Script, wrap: impl Wrap) -> Self {
        let address = listener.local_addr().unwrap();
        let server = Self { address, requests: Arc::default(), connections: Arc::default() };
        let (requests, connections) = (server.requests.clone(), server.connections.clone());
        let (script, wrap) = (Arc::new(Mutex::new(script)), Arc::new(wrap));
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                *connections.lock().unwrap() += 1;
                let (script, wrap, requests) = (script.clone(), wrap.clone(), requests.clone());
                thread::spawn(move || {
                    if let Some(mut stream) = wrap.wrap(stream.unwrap()) {
                        serve(&mut *stream, &script, &requests);
                    }
                });
            }
        });
        server
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

/// Reads one request and sends the script's reply. Errors are ignored: the client has given up.
fn serve(stream: &mut dyn Stream, script: &Mutex<Script>, requests: &Mutex<Vec<Request>>) {
    let Some(request) = read(stream) else { return };
    let reply = script.lock().unwrap().next(&request.path);
    requests.lock().unwrap().push(request);
    match reply {
        Reply::Bytes(bytes) => {
            drop(stream.write_all(&bytes));
            drop(stream.flush());
        }
        Reply::Stall(bytes) => {
            drop(stream.write_all(&bytes));
            drop(stream.flush());
            drop(std::io::copy(stream, &mut std::io::sink()));
        }
        Reply::Endless(bytes, again) => {
            let mut sent = stream.write_all(&bytes);
            while sent.is_ok() {
                sent = stream.write_all(&again);
            }
        }
    }
}

fn read(stream: &mut dyn Stream) -> Option<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    Some(Request { method, path, headers })
}
