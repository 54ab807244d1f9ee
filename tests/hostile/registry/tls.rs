//! Encryption that can be relied on: a company's own authority, and everybody else's certificates.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::bed::TestBed;
use crate::server::{Script, Server, Stream, Wrap};
use crate::trial::{Goods, nothing_came_of_it};

/// A company's own authority.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// A registry whose certificate, for `name`, is from here.
    fn tls(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Tls {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
        Tls { config: Arc::new(config), proxied: false }
    }
}

/// TLS around a connection; behind a `CONNECT` when it is reached through a proxy.
struct Tls {
    config: Arc<ServerConfig>,
    proxied: bool,
}

impl Wrap for Tls {
    fn wrap(&self, mut stream: TcpStream) -> Option<Box<dyn Stream>> {
        if self.proxied {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            // The only name that is asked for is that of the registry.
            if lines.next()?.ok()? != "CONNECT registry.example:443 HTTP/1.1" {
                return None;
            }
            while !lines.next()?.ok()?.is_empty() {}
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
        }
        let connection = ServerConnection::new(self.config.clone()).unwrap();
        Some(Box::new(StreamOwned::new(connection, stream)))
    }
}

fn run(bed: &TestBed, url: &str, env: &[(&str, &str)]) -> crate::bed::Ran {
    let mut smcp = bed.smcp(&format!("--registry {url} run --timeout 20s acme/tool@1.0.0"));
    for (name, value) in env {
        smcp = smcp.env(name, value);
    }
    smcp.run()
}

#[test]
fn a_companys_own_authority_is_named_by_ssl_cert_file() {
    let authority = Authority::new("company");
    let server = Server::wrapped(Goods::get().honest(), authority.tls("localhost", |_| {}));
    let url = format!("https://localhost:{}", server.address().port());
    let bed = TestBed::new();
    bed.write("company.pem", authority.pem());
    let file = bed.path("company.pem");
    run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]).succeeds();
    assert!(bed.has("started"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_certificate_that_does_not_fit_is_refused_at_once() {
    let (authority, stranger) = (Authority::new("company"), Authority::new("stranger"));
    let impostor = Authority::new("company");
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let cases = [
        ("another authority", stranger.tls("localhost", |_| {}), "an authority that this system does not know"),
        ("another authority of the same name", impostor.tls("localhost", |_| {}), "BadSignature"),
        ("another name", authority.tls("registry.example", |_| {}), "not valid for name"),
        ("expired", authority.tls("localhost", expired), "expired"),
    ];
    for (name, tls, says) in cases {
        let server = Server::wrapped(Goods::get().honest(), tls);
        let bed = TestBed::new();
        bed.write("company.pem", authority.pem());
        let url = format!("https://localhost:{}", server.address().port());
        let file = bed.path("company.pem");
        let ran = run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
        let ran = ran.refuses(2, &["can't be trusted: ", "SSL_CERT_FILE"]);
        assert!(ran.stderr.contains(says), "{name}: {ran}");
        assert_eq!((server.connections(), server.requests().len()), (1, 0), "{name}: never asked, never again");
        nothing_came_of_it(&bed, name);
    }
}

#[test]
fn without_authorities_nobody_is_trusted() {
    let bed = TestBed::new();
    for (name, text) in
        [("missing.pem", None), ("empty.pem", Some("")), ("garbage.pem", Some("-----BEGIN CERTIFICATE-----\nx\n"))]
    {
        if let Some(text) = text {
            bed.write(name, text);
        }
        let file = bed.path(name);
        let ran = run(&bed, "https://localhost:1", &[("SSL_CERT_FILE", file.to_str().unwrap())]);
        ran.refuses(2, &["can't be checked: ", "SSL_CERT_FILE"]);
    }
}

#[test]
fn a_server_without_encryption_is_no_https_server() {
    let authority = Authority::new("company");
    let server = Server::start(Script::default());
    let bed = TestBed::new();
    bed.write("company.pem", authority.pem());
    let file = bed.path("company.pem");
    let url = format!("https://localhost:{}", server.address().port());
    run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]).refuses(2, &["registry `https://localhost:"]);
    nothing_came_of_it(&bed, "plain");
}

/// The name is looked up by the proxy alone: here nobody knows it.
#[test]
fn a_proxy_is_gone_through_and_sees_nothing() {
    let authority = Authority::new("company");
    let server =
        Server::wrapped(Goods::get().honest(), Tls { proxied: true, ..authority.tls("registry.example", |_| {}) });
    let bed = TestBed::new();
    bed.write("company.pem", authority.pem());
    let file = bed.path("company.pem");
    let proxy = format!("http://user:hunter2@{}", server.address());
    let trusted = ("SSL_CERT_FILE", file.to_str().unwrap());
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        run(&bed, "https://registry.example", &[trusted, (variable, &proxy)]).succeeds();
    }
    assert!(bed.has("started"));
    assert_eq!(server.requests().len(), 3 + 1 + 1);
    let ran = run(&bed, "https://registry.example", &[trusted, ("HTTPS_PROXY", "socks5://user:hunter2@127.0.0.1:1")]);
    let ran = ran.refuses(1, &["HTTPS_PROXY names no proxy that can be used"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran}");
    // This machine is never looked for elsewhere.
    let local = Server::start(Goods::get().honest());
    run(&bed, &local.url(), &[("HTTPS_PROXY", "http://127.0.0.1:1"), ("HTTP_PROXY", "http://127.0.0.1:1")]).succeeds();
}
