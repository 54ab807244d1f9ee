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

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use crate::component;
use crate::server::Gate;
use crate::server::Habits;
use crate::server::Registry;
use crate::server::Wrap;

const HOST: &str = "registry.example";

/// A proxy that leads every name to one registry, which has a certificate for `names`; and the authority of that.
fn behind_a_proxy(names: &[&str]) -> (Registry, String) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let config = Arc::new(config);
    let wrap: Box<Wrap> = Box::new(move |mut stream| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        // The client asks the proxy only for a name.
        if !lines.next()?.ok()?.starts_with("CONNECT ") {
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
    let (bed, (registry, authority)) = (TestBed::new(), behind_a_proxy(&[HOST]));
    bed.write("company.pem", authority);
    let reference = format!("oci://{HOST}/policies/a:1");
    run(&bed, &registry, &format!("policy push no_network.wasm {reference}")).succeeds();
    run(&bed, &registry, &format!("policy pull {reference} --output back.wasm")).succeeds();
    assert_eq!(std::fs::read(bed.path("back.wasm")).unwrap(), component());
}

#[test]
fn packages_of_another_machine_come_the_same_way() {
    let (bed, (registry, authority)) = (TestBed::new(), behind_a_proxy(&[HOST]));
    bed.write("company.pem", authority);
    bed.write(".mcp/config.yaml", format!("registry_url: oci://{HOST}/mcp\n"));
    // Lays the files out; nobody listens there.
    bed.try_publish_in("oci://127.0.0.1:1/mcp", &Package::shell("acme/tool@1.0.0", "echo runs")).exits(2);
    let publish = format!("registry publish --registry oci://{HOST}/mcp acme/tool@1.0.0 bundles/acme-tool-1.0.0");
    run(&bed, &registry, &publish).succeeds();
    run(&bed, &registry, "run acme/tool@latest").succeeds().prints("runs\n");
    bed.run("run acme/tool@latest").exits(2);
    bed.run("run acme/tool@1.0.0").succeeds().says(&["the facts are from the cache"]);
}

#[test]
fn a_certificate_of_another_name_or_another_authority_is_refused() {
    let (bed, (registry, authority)) = (TestBed::new(), behind_a_proxy(&["other.example"]));
    bed.write("company.pem", &authority);
    let pull = format!("policy pull oci://{HOST}/policies/a:1");
    run(&bed, &registry, &pull).refuses(2, &["registry `https://registry.example` can't be trusted"]);
    let (_, another) = behind_a_proxy(&[HOST]);
    let (registry, _) = behind_a_proxy(&[HOST]);
    bed.write("company.pem", another);
    run(&bed, &registry, &pull).refuses(2, &["can't be trusted"]);
    assert_eq!(registry.lines(), [""; 0]);
}

/// A token service of another house could be anybody's, or one at which the log-in is worth something. It is asked, as by
/// somebody whom nobody knows; what is public can be had so.
#[test]
fn a_log_in_is_withheld_from_a_token_service_of_another_house() {
    let basic = "Basic bWU6aHVudGVyMg==";
    for (service, knows) in
        [("auth.registry.example", true), ("auth.evil.example", false), ("evilregistry.example", false)]
    {
        let (registry, authority) = behind_a_proxy(&[HOST, service]);
        let realm = format!("https://{service}/token");
        registry.habits(|it| {
            it.gate = Some(Gate::Token { realm, token: "granted".to_owned() });
            it.grants = Some(("granted".to_owned(), None));
        });
        registry.put_component("1", &component());
        let bed = TestBed::new();
        bed.write("company.pem", authority);
        bed.smcp(&format!("login --registry oci://{HOST} --username me --token -")).input("hunter2").run().succeeds();
        let pull = format!("policy pull oci://{HOST}/policies/a:1");
        run(&bed, &registry, &pull).succeeds();
        let asked = registry.requests();
        let of_service: Vec<_> = asked.iter().filter(|it| it.path.starts_with("/token")).collect();
        assert_eq!(of_service.len(), 1, "{service}");
        assert_eq!(of_service[0].header("authorization"), knows.then_some(basic), "{service}");
        assert_eq!(of_service[0].header("host"), Some(service));
        let elsewhere = asked.iter().filter(|it| !it.path.starts_with("/token"));
        assert!(elsewhere.filter_map(|it| it.header("authorization")).all(|it| it == "Bearer granted"), "{service}");
        // Where that is not enough, it is said why.
        registry.habits(|it| it.grants = Some(("granted".to_owned(), Some("nobody".to_owned()))));
        bed.run("cache rm --all").succeeds();
        let said = format!("the log-in for oci://{HOST} is not sent to https://{service}, which is of another house");
        let ran = run(&bed, &registry, &pull).refuses(2, &["status 401"]);
        assert_eq!(ran.stderr.contains(&said), !knows, "{ran}");
    }
}

/// Whoever names an authority of their own could stand between smcp and the source of an administrator's policy.
#[test]
fn a_user_names_no_authority_for_an_administrators_source() {
    let (registry, authority) = behind_a_proxy(&[HOST]);
    let manifest = registry.put_component("1", &component());
    for (ca_file, code) in [("", 2), ("ca_file: company.pem\n", 0)] {
        let bed = TestBed::new();
        bed.write("company.pem", &authority);
        let source = format!("oci://{HOST}/policies/a@{manifest}");
        let policy = format!("policy: {{custom: [{{name: shipped, source: '{source}'}}]}}\n");
        bed.write("system.yaml", format!("registry_url: registry\n{ca_file}{policy}"));
        let proxy = format!("http://{}", registry.address);
        let smcp = bed.smcp("policy pull").env("HTTPS_PROXY", proxy).env("SSL_CERT_FILE", bed.path("company.pem"));
        let ran = smcp.env("SMCP_SYSTEM_CONFIG", bed.path("system.yaml")).run().exits(code);
        assert_eq!(ran.stderr.contains("can't be trusted"), code == 2, "{ran}");
    }
}

/// The same holds for the set that such a layer names, at each start.
#[test]
fn a_user_names_no_authority_for_an_administrators_set() {
    let (registry, authority) = behind_a_proxy(&[HOST]);
    let (bed, archive) = (crate::bed(), crate::sets::archive(1));
    bed.write("company.pem", &authority);
    bed.write("company.tar.gz", archive);
    let reference = format!("oci://{HOST}/company/rules:1");
    let pushed =
        run(&bed, &registry, &format!("--json policy set push company.tar.gz {reference}")).succeeds().document();
    for (ca_file, code) in [("", 2), ("ca_file: company.pem\n", 0)] {
        let bed = crate::bed();
        bed.configure("");
        bed.write("company.pem", &authority);
        let set = format!("policy: {{policy_set: {{source: '{}'}}}}\n", pushed["reference"].as_str().unwrap());
        bed.write("system.yaml", format!("registry_url: registry\n{ca_file}{set}"));
        let proxy = format!("http://{}", registry.address);
        let smcp = bed.smcp("run acme/quiet@1.0.0").env("HTTPS_PROXY", proxy);
        let smcp =
            smcp.env("SSL_CERT_FILE", bed.path("company.pem")).env("SMCP_SYSTEM_CONFIG", bed.path("system.yaml"));
        let ran = smcp.run().exits(code);
        assert_eq!(ran.stderr.contains("can't be trusted"), code == 2, "{ran}");
    }
}
