//! The registry as a process of the test, and a proxy before it.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::Shutdown;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::IsCa;
use rcgen::KeyPair;
use tempfile::TempDir;

use crate::say;

const PROGRAM: &str = "docker-registry";
/// The name in the certificate, which leads nowhere but through the proxy of the test.
pub(crate) const HOST: &str = "registry.example";
/// `me` with the password `hunter2`, as the registry keeps it.
const PASSWORDS: &str = "me:$2b$04$BlSJHqQps.Q2iEfWAkbgHOnPTW5cNyVYAIvo9.dERbRo05VZp/FR2\n";

/// How the registry is started.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Manner {
    pub(crate) tls: bool,
    pub(crate) log_in: bool,
}

/// Every manner.
pub(crate) const MANNERS: [Manner; 4] = [
    Manner { tls: false, log_in: false },
    Manner { tls: false, log_in: true },
    Manner { tls: true, log_in: false },
    Manner { tls: true, log_in: true },
];

/// A registry that runs until it is dropped.
pub(crate) struct RealRegistry {
    process: Child,
    folder: TempDir,
    manner: Manner,
    pub(crate) port: u16,
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl RealRegistry {
    /// Starts one with an empty storage; `None`, and a word about it, where the program is missing.
    pub(crate) fn start(manner: Manner) -> Option<Self> {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let mut config = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp:\n  addr: 127.0.0.1:0\n",
            path("storage")
        );
        if manner.tls {
            certify(&folder);
            config.push_str(&format!("  tls: {{certificate: {}, key: {}}}\n", path("cert.pem"), path("key.pem")));
        }
        if manner.log_in {
            std::fs::write(path("passwords"), PASSWORDS).unwrap();
            config.push_str(&format!("auth: {{htpasswd: {{realm: test, path: {}}}}}\n", path("passwords")));
        }
        std::fs::write(path("config.yml"), config).unwrap();
        let started = Command::new(PROGRAM)
            .args(["serve", &path("config.yml")])
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        let mut process = match started {
            Ok(process) => process,
            Err(error) => {
                say(&format!("skipped: {PROGRAM} can't be started here: {error} (Debian's package `{PROGRAM}`)"));
                return None;
            }
        };
        let (sender, port) = mpsc::channel();
        let lines = BufReader::new(process.stderr.take().unwrap()).lines();
        // Read to the end, or the registry would wait for somebody who reads.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let listening = line.split("listening on 127.0.0.1:").nth(1);
                let port = listening.and_then(|rest| rest.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok());
                if let Some(port) = port {
                    let _: Result<(), mpsc::SendError<u16>> = sender.send(port);
                }
            }
        });
        let port = port.recv().expect("the registry ended before it listened");
        Some(Self { process, folder, manner, port })
    }

    /// A file of the certificate authority that has signed the registry's certificate.
    pub(crate) fn authority(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Where it is reached: on this machine, or under its name through the proxy.
    pub(crate) fn address(&self) -> String {
        if self.manner.tls { format!("oci://{HOST}") } else { format!("oci://localhost:{}", self.port) }
    }

    /// Starts the proxy, where it is needed to reach the registry.
    pub(crate) fn way(&self) -> Option<String> {
        self.manner.tls.then(|| self.proxy())
    }

    /// Starts a proxy that leads every name to this registry, and returns its URL.
    pub(crate) fn proxy(&self) -> String {
        let (listener, port) = (TcpListener::bind("127.0.0.1:0").unwrap(), self.port);
        let url = format!("http://{}", listener.local_addr().unwrap());
        // It ends with the test's process.
        thread::spawn(move || {
            for client in listener.incoming() {
                thread::spawn(move || lead(client.unwrap(), port));
            }
        });
        url
    }
}

/// Leads one connection on. Errors are ignored: one side has given up.
fn lead(client: TcpStream, port: u16) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).ok()?;
    }
    let server = TcpStream::connect(("127.0.0.1", port)).ok()?;
    (&client).write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from_server, mut to_client) = (server.try_clone().ok()?, client.try_clone().ok()?);
    let back = thread::spawn(move || {
        drop(std::io::copy(&mut from_server, &mut to_client));
        to_client.shutdown(Shutdown::Write)
    });
    drop(std::io::copy(&mut reader, &mut &server));
    drop(server.shutdown(Shutdown::Write));
    drop(back.join());
    Some(())
}

/// Writes a certificate for the registry, its key, and the authority that signed it.
fn certify(folder: &TempDir) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = [HOST.to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    for (name, text) in [("ca.pem", authority.pem()), ("cert.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
    {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
}
