//! Encryption with a company's authority, and with certificates of others.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::DnType;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::bed::TestBed;
use crate::server::Script;
use crate::server::Server;
use crate::server::Stream;
use crate::server::Wrap;
use crate::trial::Goods;
use crate::trial::nothing_came_of_it;

/// A company's own certificate authority.
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

    /// Starts a registry that has a certificate of this authority for `name`.
    fn tls(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> Tls {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut params);
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Tls::of(certificate.der().clone(), &key)
    }
}

/// TLS around a connection; after a `CONNECT` if it goes through a proxy.
struct Tls {
    config: Arc<ServerConfig>,
    proxied: bool,
}

impl Tls {
    fn of(certificate: CertificateDer<'static>, key: &KeyPair) -> Self {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap();
        Self { config: Arc::new(config), proxied: false }
    }
}

impl Wrap for Tls {
    fn wrap(&self, mut stream: TcpStream) -> Option<Box<dyn Stream>> {
        if self.proxied {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            // The client asks the proxy only for the name of the registry.
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

/// A registry behind a company's own authority, its address, a home, and the file with the authority there.
fn company() -> (Server, String, TestBed, std::path::PathBuf) {
    let authority = Authority::new("company");
    let server = Server::wrapped(Goods::get().honest(), authority.tls("localhost", |_| {}));
    let url = format!("https://localhost:{}", server.address().port());
    let bed = TestBed::new();
    bed.write("company.pem", authority.pem());
    let file = bed.path("company.pem");
    (server, url, bed, file)
}

#[test]
fn a_companys_own_authority_is_named_by_ssl_cert_file() {
    let (server, url, bed, file) = company();
    run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]).succeeds();
    assert!(bed.has("proof/started"));
    assert_eq!(server.requests().len(), 3);
}

/// Whoever names an authority of their own could stand between smcp and a registry, and forge what it says. For a
/// registry that an administrator's rules rely on, only an administrator names one.
#[test]
fn a_user_names_no_authority_for_an_administrators_registry() {
    let (_server, url, bed, file) = company();
    let (file, system) = (file.to_str().unwrap(), bed.path("system/config.yaml"));
    let both = |administrators: &str, users: &str| {
        bed.write("system/config.yaml", administrators);
        bed.write(".mcp/config.yaml", users);
        let variables = [("SSL_CERT_FILE", file), ("SMCP_SYSTEM_CONFIG", system.to_str().unwrap())];
        run(&bed, &url, &variables)
    };
    let (relies, of_his) = (format!("registry_url: {url}\n"), format!("ca_file: {file}\n"));
    // The variable counts only where no administrator relies on the registry.
    both("trusted_registries: [https://other.example]\n", "").succeeds();
    std::fs::remove_file(bed.path("proof/started")).unwrap();
    let says = ["from an authority that this system does not know"];
    both(&relies, "").refuses(2, &says);
    both(&relies, &of_his).refuses(2, &says);
    both(&format!("trusted_registries: [{url}]\n"), &of_his).refuses(2, &says);
    assert!(!bed.has("proof/started"));
    // The administrator may.
    both(&format!("{relies}ca_file: ../company.pem\n"), "").succeeds();
    // Without an administrator, the user's file counts as the variable does.
    bed.write(".mcp/config.yaml", of_his);
    run(&bed, &url, &[]).succeeds();
    // A file that is none, or that others may write to, is named.
    bed.write("none.pem", "no certificate");
    both(&format!("{relies}ca_file: ../none.pem\n"), "")
        .refuses(2, &["the configuration's `ca_file` is [HOME]/none.pem: it has no certificate in PEM form"]);
    both(&format!("{relies}ca_file: /nowhere.pem\n"), "").refuses(2, &["`ca_file` is /nowhere.pem: No such file"]);
    std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o666)).unwrap();
    both(&format!("{relies}ca_file: ../company.pem\n"), "").refuses(2, &["others may write to it"]);
}

/// The message has the reason in plain words, and the advice fits it: it does not suggest an authority if the clock is
/// wrong.
#[test]
fn a_certificate_that_does_not_fit_is_refused_at_once() {
    let (authority, stranger) = (Authority::new("company"), Authority::new("stranger"));
    let impostor = Authority::new("company");
    let expired = |params: &mut CertificateParams| params.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let early = |params: &mut CertificateParams| {
        params.not_before = rcgen::date_time_ymd(2090, 2, 3);
        params.not_after = rcgen::date_time_ymd(2091, 1, 1);
    };
    let client = |params: &mut CertificateParams| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    };
    let cases: [(&str, Tls, &[&str]); 6] = [
        (
            "another authority",
            stranger.tls("localhost", |_| {}),
            &["from an authority that this system does not know", "name that in SSL_CERT_FILE"],
        ),
        (
            "another authority of the same name",
            impostor.tls("localhost", |_| {}),
            &["is not signed by the authority that it names", "an authority of the same name has another key"],
        ),
        (
            "another name",
            authority.tls("registry.example", |_| {}),
            &["its certificate is for registry.example, and not for localhost", "check the address"],
        ),
        (
            "expired",
            authority.tls("localhost", expired),
            &[
                "its certificate ended at 2020-01-01 00:00:00 UTC, and it is 2",
                " UTC by this machine's clock",
                "clock right?",
            ],
        ),
        (
            "not yet valid",
            authority.tls("localhost", early),
            &["its certificate begins at 2090-02-03 00:00:00 UTC, and it is 2", "is this machine's clock right?"],
        ),
        ("for clients", authority.tls("localhost", client), &["its certificate is not one for servers"]),
    ];
    for (name, tls, says) in cases {
        let server = Server::wrapped(Goods::get().honest(), tls);
        let bed = TestBed::new();
        bed.write("company.pem", authority.pem());
        let url = format!("https://localhost:{}", server.address().port());
        let file = bed.path("company.pem");
        let ran = run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
        let ran = ran.refuses(2, &["can't be trusted: "]).says(says);
        let advises_trust = ran.stderr.contains("company's own authority");
        assert_eq!(advises_trust, name == "another authority", "{name}: {ran}");
        for debug in ["DnsName(", "OtherError", "InvalidCertificate", "UnixTime", "(UNIX)", "BadSignature"] {
            assert!(!ran.stderr.contains(debug), "{name}: {ran}");
        }
        assert_eq!((server.connections(), server.requests().len()), (1, 0), "{name}: never asked, never again");
        nothing_came_of_it(&bed, name);
    }
}

/// `openssl req -x509` makes a certificate of an authority. A self-signed one that is not an authority can be trusted
/// itself.
#[test]
fn a_certificate_that_signed_itself_is_trusted_when_it_is_no_authority() {
    let cases = [
        (IsCa::Ca(BasicConstraints::Unconstrained), Some("its certificate is that of an authority (CA:TRUE)")),
        (IsCa::ExplicitNoCa, None),
        (IsCa::NoCa, None),
    ];
    for (is_ca, says) in cases {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).unwrap();
        let server = Server::wrapped(Goods::get().honest(), Tls::of(certificate.der().clone(), &key));
        let bed = TestBed::new();
        bed.write("own.pem", certificate.pem());
        let file = bed.path("own.pem");
        let url = format!("https://localhost:{}", server.address().port());
        let ran = run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
        match says {
            Some(says) => drop(ran.refuses(2, &[says, "basicConstraints=critical,CA:FALSE"])),
            None => drop(ran.succeeds()),
        }
    }
}

#[test]
fn without_authorities_nobody_is_trusted() {
    let bed = TestBed::new();
    let der = Authority::new("company").0.der().to_vec();
    let cases: [(&str, Option<&[u8]>, &str); 6] = [
        ("missing.pem", None, "missing.pem: No such file or directory"),
        ("empty.pem", Some(b""), "empty.pem, which is empty"),
        ("company.der", Some(&der), "company.der, which is in DER form, and PEM is read"),
        (
            "page.pem",
            Some(b"<!DOCTYPE html><html>"),
            "page.pem, which has no certificate in PEM form (it is a web page (HTML))",
        ),
        ("words.pem", Some(b"no certificate"), "words.pem, which has no certificate in PEM form (it is text)"),
        ("garbage.pem", Some(b"-----BEGIN CERTIFICATE-----\nx\n"), "garbage.pem, which has no certificate in PEM form"),
    ];
    for (name, bytes, says) in cases {
        if let Some(bytes) = bytes {
            bed.write(name, bytes);
        }
        let file = bed.path(name);
        let ran = run(&bed, "https://localhost:1", &[("SSL_CERT_FILE", file.to_str().unwrap())]);
        ran.refuses(2, &["can't be checked: SSL_CERT_FILE names ", says]);
    }
}

#[test]
fn a_server_without_encryption_is_no_https_server() {
    let bed = TestBed::new();
    bed.write("company.pem", Authority::new("company").pem());
    let file = bed.path("company.pem");
    // The answer of web servers to a client that starts with encryption.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let answer = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 512];
        drop(stream.read(&mut hello));
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n"));
    });
    let ran = run(&bed, &url, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
    answer.join().unwrap();
    ran.refuses(2, &["can't be trusted: what answered speaks no TLS", "https:// needs a server that encrypts"]);
    nothing_came_of_it(&bed, "plain");
}

/// Every error behind a proxy names the proxy and the variable, but never its password.
#[test]
fn a_proxy_is_named_in_what_went_wrong_through_it() {
    let authority = Authority::new("company");
    let refusing = Server::start(Script::default());
    let bed = TestBed::new();
    bed.write("company.pem", authority.pem());
    let file = bed.path("company.pem");
    let proxy = format!("http://user:hunter2@{}", refusing.address());
    let env =
        |except| [("SSL_CERT_FILE", file.to_str().unwrap()), ("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", except)];
    let named = format!("it was asked through the proxy {} of HTTPS_PROXY", refusing.address());
    let ran = run(&bed, "https://registry.corp.example", &env("example.org"));
    let ran =
        ran.refuses(2, &["can't be reached", "the proxy refuses", &named, "NO_PROXY names what is reached without"]);
    assert!(!ran.stderr.contains("hunter2") && !ran.stderr.contains("is no host"), "{ran}");
    let asked = refusing.connections();
    // A valid exception is followed: the name itself is looked up, and does not exist.
    let ran = run(&bed, "https://registry.corp.invalid", &env("corp.invalid,10.*"));
    let ran = ran.refuses(2, &["can't be reached", "NO_PROXY has `10.*`, which is no host"]);
    assert!(!ran.stderr.contains("through the proxy"), "{ran}");
    assert_eq!(refusing.connections(), asked);
}

/// Only the proxy looks up the name, which does not exist here.
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
    assert!(bed.has("proof/started"));
    assert_eq!(server.requests().len(), 3 + 1 + 1);
    let ran = run(&bed, "https://registry.example", &[trusted, ("HTTPS_PROXY", "socks5://user:hunter2@127.0.0.1:1")]);
    let ran = ran.refuses(1, &["HTTPS_PROXY names no proxy that can be used"]);
    assert!(!ran.stderr.contains("hunter2"), "{ran}");
    // This machine is never reached through a proxy.
    let local = Server::start(Goods::get().honest());
    run(&bed, &local.url(), &[("HTTPS_PROXY", "http://127.0.0.1:1"), ("HTTP_PROXY", "http://127.0.0.1:1")]).succeeds();
}
