//! `registry serve`, with a client that writes its requests by hand.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::bed::corrupt;
use crate::server::Served;
use smcp_model::digest::Digest;

impl Served {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// Sends a request on a separate connection, and reads the answer to its end.
    fn send(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        // A server that refuses a flood of headers may reset the connection after its answer.
        drop(stream.read_to_end(&mut bytes));
        Answer::new(&bytes)
    }

    fn ask(&self, method: &str, path: &str, headers: &str) -> Answer {
        self.send(&format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n"))
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "")
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Asks the server to end; returns its exit code and its remaining output.
    pub(crate) fn end(mut self, signal: Signal) -> (i32, String) {
        self.signal(signal);
        let mut said = String::new();
        self.errors.read_to_string(&mut said).unwrap();
        (self.child.wait().unwrap().code().unwrap(), said)
    }
}

struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn new(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap().to_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head, body: bytes[end + 4..].to_vec() }
    }

    /// Returns the body of an answer that is sent in chunks; `None` if it was broken off.
    fn chunks(&self) -> Option<Vec<u8>> {
        assert_eq!(self.header("transfer-encoding"), "chunked", "{}", self.head);
        let (mut body, mut rest) = (Vec::new(), self.body.as_slice());
        loop {
            let end = rest.windows(2).position(|two| two == b"\r\n")?;
            let length = usize::from_str_radix(str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            body.extend_from_slice(rest.get(end + 2..end + 2 + length)?);
            rest = rest.get(end + 2 + length + 2..)?;
            if length == 0 {
                return Some(body);
            }
        }
    }

    fn catalog(&self) -> Value {
        assert_eq!((self.status, self.header("content-type")), (200, "application/json"), "{}", self.head);
        serde_json::from_slice(&self.chunks().unwrap()).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default()
    }

    fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/json", "{}", self.head);
        assert_eq!(self.header("content-length"), self.body.len().to_string(), "{}", self.head);
        serde_json::from_slice(&self.body).unwrap()
    }
}

const RESOLVE: &str = "/v1/org/acme/mcps/tool/resolve";

fn bed() -> TestBed {
    let bed = TestBed::new();
    for version in ["1.0.0", "1.1.0"] {
        bed.publish(&Package::greeter(&format!("acme/tool@{version}")).file("v.txt", version, 0o644).good());
    }
    bed.publish(&Package::greeter("acme/draft@0.1.0").option("--status", "draft"));
    bed
}

#[test]
fn the_api_of_a_registry_is_spoken() {
    let bed = bed();
    let served = Served::start(&bed);
    assert_eq!(served.get("/healthz").json(), json!({"status": "ok"}));
    let draft = json!({"package": "acme/draft", "visibility": "public", "latest_version": null});
    let tool = json!({"package": "acme/tool", "visibility": "public", "latest_version": "1.1.0"});
    assert_eq!(served.get("/v1/catalog").catalog(), json!({"packages": [draft, tool]}));
    let mut published: Value = serde_json::from_str(&bed.read("registry/packages/acme/tool/1.0.0.json")).unwrap();
    assert_eq!(served.get(&format!("{RESOLVE}?ref=1.0.0")).json(), published);
    let bundle = published["resolved"]["bundle"].clone();
    let digest = bundle["digest"].as_str().unwrap().to_owned();
    published["ref"] = digest.clone().into();
    assert_eq!(served.get(&format!("{RESOLVE}?ref={}", digest.replace(':', "%3A"))).json(), published);
    assert_eq!(served.get(&format!("{RESOLVE}?ref=latest")).json()["resolved"]["version"], "1.1.0");
    for (kind, media) in [("bundle", "application/gzip"), ("manifest", "application/json")] {
        let digest = published["resolved"][kind]["digest"].as_str().unwrap();
        // The path that the answer itself has.
        let url = published["resolved"][kind]["url"].as_str().unwrap();
        let answer = served.get(url);
        assert_eq!((answer.status, answer.header("content-type")), (200, media), "{}", answer.head);
        assert_eq!(Digest::of(&answer.body).to_string(), digest);
        assert_eq!(answer.header("content-length"), answer.body.len().to_string());
        assert!(answer.header("cache-control").contains("immutable"), "{}", answer.head);
        let head = served.ask("HEAD", url, "");
        assert_eq!((head.status, head.body.len()), (200, 0));
        assert_eq!(head.header("content-length"), answer.header("content-length"));
        let tag = format!("If-None-Match: \"other\", {}\r\n", answer.header("etag"));
        let unchanged = served.ask("GET", url, &tag);
        assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    }
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_the_registry_s_way() {
    let bed = bed();
    let served = Served::start(&bed);
    let blob = format!("/v1/org/acme/artifacts/{}/bundle", Digest::of(b"nothing"));
    let cases = [
        ("GET", format!("{RESOLVE}?ref=9.9.9"), 404, "version-not-found"),
        ("GET", "/v1/org/acme/mcps/none/resolve?ref=1".to_owned(), 404, "package-not-found"),
        ("GET", blob, 404, "registry-file-missing"),
        ("GET", "/nowhere".to_owned(), 404, "no-such-path"),
        ("GET", format!("{RESOLVE}?ref=../1"), 400, "bad-request"),
        ("GET", RESOLVE.to_owned(), 400, "bad-request"),
        ("GET", "/v1/org/acme/artifacts/%2e%2e%2f/bundle".to_owned(), 400, "bad-request"),
        ("POST", "/healthz".to_owned(), 405, "method-not-allowed"),
        ("DELETE", format!("{RESOLVE}?ref=1.0.0"), 405, "method-not-allowed"),
    ];
    for (method, path, status, code) in cases {
        let answer = served.ask(method, &path, "");
        let document = answer.json();
        assert_eq!((answer.status, document["error"]["code"].as_str()), (status, Some(code)), "{method} {path}");
        let message = document["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty() && !message.contains(bed.path("").to_str().unwrap()), "{message}");
        assert_eq!(answer.header("allow"), if status == 405 { "get, head" } else { "" });
    }
    let flood = format!("X: {}\r\n", "a".repeat(64 * 1024));
    assert_eq!(served.ask("GET", "/healthz", &flood).status, 431);
    assert_eq!(served.ask("GET", "/healthz", &"X: a\r\n".repeat(100)).status, 431);
    assert_eq!(served.send("nonsense\r\n\r\n").status, 400);
    assert_eq!(served.get("/healthz").status, 200, "and it goes on");
}

#[test]
fn what_is_corrupt_is_never_served() {
    let bed = bed();
    let served = Served::start(&bed);
    let resolved = served.get(&format!("{RESOLVE}?ref=1.0.0")).json()["resolved"].clone();
    let digest = resolved["bundle"]["digest"].as_str().unwrap().replace(':', "-");
    corrupt(&bed.path(&format!("registry/blobs/{digest}")));
    let answer = served.get(resolved["bundle"]["url"].as_str().unwrap());
    assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (500, Some("digest-mismatch")));
    bed.write("registry/packages/acme/tool/1.1.0.json", "{");
    let answer = served.get(&format!("{RESOLVE}?ref=1.1.0"));
    assert_eq!((answer.status, answer.json()["error"]["code"].as_str()), (500, Some("registry-entry-invalid")));
    assert_eq!(served.get("/v1/catalog").catalog()["packages"][1]["latest_version"], Value::Null);
    let (code, said) = served.end(Signal::SIGTERM);
    assert_eq!(code, 0);
    assert!(said.contains("is not what its digest promises") && said.contains("acme/tool@1.1.0"), "{said}");
}

#[test]
fn a_large_file_arrives_whole_at_many_clients_at_once() {
    let bed = TestBed::new();
    // Incompressible text, from a linear generator.
    let mut seed: u32 = 1;
    let noise: String = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b' ' + u8::try_from(seed >> 24).unwrap() % 95)
    })
    .take(3 << 20)
    .collect();
    bed.publish(&Package::greeter("acme/tool@1.0.0").file("noise.txt", &noise, 0o644).good());
    let served = Served::start(&bed);
    let resolved = served.get(&format!("{RESOLVE}?ref=1.0.0")).json()["resolved"].clone();
    let url = resolved["bundle"]["url"].as_str().unwrap();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8).map(|_| scope.spawn(|| Digest::of(&served.get(url).body).to_string())).collect();
        for client in clients {
            assert_eq!(resolved["bundle"]["digest"], client.join().unwrap());
        }
    });
    // A client that leaves in the middle does not disturb the others.
    let mut stream = served.connect();
    stream.write_all(format!("GET {url} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    drop(stream);
    assert_eq!(Digest::of(&served.get(url).body).to_string(), resolved["bundle"]["digest"]);
}

#[test]
fn there_are_so_many_seats_and_the_next_client_waits() {
    let bed = bed();
    let served = Served::start(&bed);
    let ask = |stream: &mut TcpStream| stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let answered = |stream: &mut TcpStream| stream.read_exact(&mut [0; 15]).unwrap();
    let mut seated: Vec<TcpStream> = (0..64).map(|_| served.connect()).collect();
    for stream in &mut seated {
        ask(stream);
        answered(stream);
    }
    let mut waiting = served.connect();
    ask(&mut waiting);
    waiting.set_nonblocking(true).unwrap();
    // All seated clients are served meanwhile, and the waiting one is not.
    seated.iter_mut().for_each(|stream| {
        ask(stream);
        answered(stream);
    });
    assert!(waiting.read(&mut [0]).is_err());
    waiting.set_nonblocking(false).unwrap();
    drop(seated.pop());
    answered(&mut waiting);
}

#[test]
fn who_does_not_finish_a_request_is_shown_out() {
    let bed = bed();
    let served = Served::start(&bed);
    let mut begun = ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n"].map(|beginning| {
        let mut stream = served.connect();
        stream.write_all(beginning.as_bytes()).unwrap();
        stream
    });
    for stream in &mut begun {
        let mut answer = Vec::new();
        // The test waits for the end of the connection, since a client's own timeout is longer.
        stream.read_to_end(&mut answer).unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
}

#[test]
fn a_server_ends_when_it_is_asked_and_finishes_what_it_does() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let bed = bed();
        let served = Served::start(&bed);
        let mut idle = served.connect();
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        idle.read_exact(&mut [0; 15]).unwrap();
        let (code, said) = served.end(signal);
        assert_eq!((code, said.as_str()), (0, ""), "{signal}");
        let mut rest = Vec::new();
        drop(idle.read_to_end(&mut rest));
    }
}

#[test]
fn the_door_is_announced_and_a_wrong_one_is_refused() {
    let bed = bed();
    let served = Served::start(&bed);
    let taken = format!("registry serve --registry registry --listen {}", served.address);
    let cases = [
        (taken.as_str(), 1, "while listening on 127.0.0.1:"),
        ("registry serve", 1, "--registry DIR must name"),
        ("registry serve --registry https://x.example", 1, "only a directory"),
        ("registry serve --registry gone", 2, "can't open it"),
        ("registry serve --registry registry --listen localhost", 1, "invalid value 'localhost'"),
        ("registry serve --registry registry --listen 127.0.0.1:99999", 1, "invalid value"),
    ];
    for (line, code, words) in cases {
        bed.run(line).refuses(code, &[words]);
    }
    let mut invocation = bed.smcp("registry serve --json --registry registry --listen 0.0.0.0:0");
    let mut child = invocation.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let document: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(document["schema"], "smcp.listening/1");
    assert!(document["url"].as_str().unwrap().starts_with("http://0.0.0.0:"), "{line}");
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains("without TLS and without a login"), "{said}");
}

#[test]
fn a_registry_is_listed() {
    let bed = bed();
    bed.run("registry list --registry registry")
        .succeeds()
        .silent()
        .prints("PACKAGE     LATEST\nacme/draft  -\nacme/tool   1.1.0\n");
    let document = bed.run("registry list --json --registry registry").succeeds().document();
    assert_eq!(document["packages"][1], json!({"package": "acme/tool", "latest_version": "1.1.0"}));
}

#[test]
fn a_catalogue_of_twelve_thousand_is_whole_and_in_order() {
    let bed = bed();
    let mut names: Vec<String> = (0..12_000).map(|number| format!("org-{}/tool-{number}", number % 7)).collect();
    for name in &names {
        std::fs::create_dir_all(bed.path(&format!("registry/packages/{name}"))).unwrap();
    }
    names.extend(["acme/draft".to_owned(), "acme/tool".to_owned()]);
    names.sort();
    let named = |document: &Value| -> Vec<String> {
        let packages = document["packages"].as_array().unwrap();
        packages.iter().map(|package| package["package"].as_str().unwrap().to_owned()).collect()
    };
    let listed = bed.run("registry list --registry registry --json").succeeds().document();
    assert_eq!(named(&listed), names);
    assert_eq!(listed["packages"][1]["latest_version"], "1.1.0");
    let served = Served::start(&bed);
    let catalog = served.get("/v1/catalog").catalog();
    assert_eq!((named(&catalog), &catalog["packages"][1]["latest_version"]), (names, &json!("1.1.0")));
    let head = served.ask("HEAD", "/v1/catalog", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    let error = bed.run("info acme/tol@1.0.0 --registry registry");
    assert!(error.stderr.contains("did you mean acme/tool?"), "{error}");
}
