//! A registry on another machine is spoken to over TLS, through the proxy if there is one.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::sync::Arc;

use rcgen::BasicConstraints;
use rcgen::CertificateParams;
use rcgen::CertifiedIssuer;
use rcgen::IsCa;
use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::StreamOwned;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::bed::Ran;
use crate::bed::TestBed;
use crate::component;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Wrap;

const HOST: &str = "registry.example";

/// A proxy with the registry behind it, which has a certificate for `name`; and the authority of that.
fn behind_a_proxy(name: &str) -> (Registry, String) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let wrap: Box<Wrap> = Box::new(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        // The client asks the proxy only for the name of the registry.
        if lines.next()?.ok()? != format!("CONNECT {HOST}:443 HTTP/1.1") {
            return None;
        }
        while !lines.next()?.ok()?.is_empty() {}
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
        let connection = ServerConnection::new(config.clone()).unwrap();
        Some(Box::new(StreamOwned::new(connection, stream)))
    });
    (Registry::wrapped(Habits::default(), wrap), authority.pem())
}

fn run(bed: &TestBed, registry: &Registry, line: &str) -> Ran {
    bed.write("no_network.wasm", component());
    let proxy = format!("http://{}", registry.address);
    bed.smcp(line).env("HTTPS_PROXY", proxy).env("SSL_CERT_FILE", bed.path("company.pem")).run()
}

#[test]
fn another_machine_is_spoken_to_over_tls_and_through_the_proxy() {
    let (bed, (registry, authority)) = (TestBed::new(), behind_a_proxy(HOST));
    bed.write("company.pem", authority);
    let reference = format!("oci://{HOST}/policies/a:1");
    run(&bed, &registry, &format!("policy push no_network.wasm {reference}")).succeeds();
    run(&bed, &registry, &format!("policy pull {reference} --output back.wasm")).succeeds();
    assert_eq!(std::fs::read(bed.path("back.wasm")).unwrap(), component());
}

#[test]
fn a_certificate_of_another_name_or_another_authority_is_refused() {
    let (bed, (registry, authority)) = (TestBed::new(), behind_a_proxy("other.example"));
    bed.write("company.pem", &authority);
    let pull = format!("policy pull oci://{HOST}/policies/a:1");
    run(&bed, &registry, &pull).refuses(2, &["registry `https://registry.example` can't be trusted"]);
    let (_, another) = behind_a_proxy(HOST);
    let (registry, _) = behind_a_proxy(HOST);
    bed.write("company.pem", another);
    run(&bed, &registry, &pull).refuses(2, &["can't be trusted"]);
    assert_eq!(registry.lines(), [""; 0]);
}
