//! Packages in a real registry: there and back, copied to another one, and a thousand of them.

use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::registry::MANNERS;
use crate::registry::Manner;
use crate::registry::RealRegistry;
use crate::say;
use smcp_http::HttpSettings;
use smcp_model::deadline::Deadline;
use smcp_model::oci::OciPlace;
use smcp_oci::OciClient;
use smcp_oci::package::IN_TOTO;
use smcp_oci::package::MINISIGN;
use smcp_oci::package::STATEMENT;
use smcp_registry::AttachedPart;
use smcp_registry::AttachmentLimits;
use smcp_registry::OciRegistry;
use smcp_registry::RegistryClient as _;

/// How many packages a large registry of the tests has.
const MANY: usize = 1_000;
/// How many versions a package with many has: more than a digest is looked for in.
const VERSIONS: usize = 260;
/// How many put them there at once.
const PUBLISHERS: usize = 4;

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(300))
}

fn package(reference: &str) -> Package {
    Package::shell(reference, &format!("echo {reference} runs"))
}

fn place(registry: &RealRegistry) -> OciPlace {
    OciPlace::parse(&format!("oci://localhost:{}/mcp", registry.port)).unwrap()
}

fn client(registry: &RealRegistry) -> OciRegistry {
    OciRegistry::new(place(registry), HttpSettings::default(), Box::new(|| Ok(None)))
}

#[test]
fn a_package_goes_there_and_comes_back() {
    for manner in MANNERS {
        let Some(registry) = RealRegistry::start(manner) else { return };
        let bed = TestBed::new();
        let proxy = registry.way();
        let host = registry.address();
        let run = |line: &str| crate::run(&bed, &registry, proxy.as_deref(), line);
        bed.write(".mcp/config.yaml", format!("registry_url: {host}/mcp\n"));
        // Lays the files out; nobody listens there.
        bed.try_publish_in("oci://127.0.0.1:1/mcp", &package("acme/tool@1.0.0+x")).exits(2);
        let publish = format!("registry publish --registry {host}/mcp acme/tool@1.0.0+x bundles/acme-tool-1.0.0+x");
        if manner.log_in {
            run(&publish).refuses(2, &["does not let anybody whom it does not know"]);
            run("login --username me --token -").succeeds();
        }
        run(&publish).succeeds().says(&["is published"]);
        run(&publish).succeeds().says(&["is there already, with the same bytes"]);
        let info = run("--json info acme/tool@latest").succeeds().document();
        assert_eq!(info["package"], "acme/tool@1.0.0+x");
        for selector in ["1.0.0+x", "latest"] {
            run(&format!("run acme/tool@{selector}")).succeeds().prints("acme/tool@1.0.0+x runs\n");
        }
        let listed = run(&format!("--json registry list --registry {host}/mcp")).succeeds().document();
        assert_eq!(listed["packages"], json!([{"package": "acme/tool", "latest_version": "1.0.0+x"}]));
        run("run acme/tool@2.0.0").refuses(2, &["there is no version `2.0.0` of `acme/tool`", "it has: 1.0.0+x"]);
        run("run acme/gone@1.0.0").refuses(2, &["there is no package `acme/gone`"]);
        let doctor = run("doctor");
        assert!(doctor.stdout.contains("/mcp answers"), "{doctor}");
    }
}

#[test]
fn what_skopeo_copies_resolves_as_it_was() {
    let (Some(one), Some(two)) = (RealRegistry::start(Manner::default()), RealRegistry::start(Manner::default()))
    else {
        return;
    };
    let bed = TestBed::new();
    let registry = |port: u16| format!("oci://localhost:{port}/mcp");
    bed.try_publish_in(&registry(one.port), &package("acme/tool@1.0.0")).succeeds();
    let image = |port: u16| format!("docker://localhost:{port}/mcp/acme/tool:1.0.0");
    let mut skopeo = Command::new("skopeo");
    skopeo.args(["--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"]);
    skopeo.args([image(one.port), image(two.port)]).env("HOME", bed.path(""));
    match skopeo.output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            say("skipped: skopeo is not installed (Debian's package `skopeo`)");
            return;
        }
        Err(error) => panic!("skopeo: {error}"),
    }
    let wanted = "acme/tool@1.0.0".parse().unwrap();
    let resolved = [&one, &two].map(|registry| client(registry).resolve(&wanted, &soon()).unwrap());
    assert_eq!(resolved[0].image_digest, resolved[1].image_digest);
    let digest = resolved[0].image_digest.unwrap();
    for selector in ["1.0.0".to_owned(), "latest".to_owned(), digest.to_string()] {
        bed.run("cache rm --all").succeeds();
        bed.run(&format!("run --registry {} acme/tool@{selector}", registry(two.port)))
            .succeeds()
            .prints("acme/tool@1.0.0 runs\n");
    }
}

#[test]
fn what_is_attached_is_found_by_the_tag() {
    let Some(registry) = RealRegistry::start(Manner::default()) else { return };
    let bed = TestBed::new();
    bed.try_publish_in(&place(&registry).to_string(), &package("acme/tool@1.0.0")).succeeds();
    let client = client(&registry);
    let resolution = client.resolve(&"acme/tool@1.0.0".parse().unwrap(), &soon()).unwrap();
    let (id, image) = (&resolution.id, resolution.image_digest.unwrap());
    let part = |kind: &str, text: &str| AttachedPart { media_type: kind.to_owned(), bytes: text.as_bytes().to_vec() };
    for number in ["1", "2"] {
        let parts = [part(IN_TOTO, number), part(MINISIGN, "signature")];
        client.attach(id, &image, STATEMENT, &parts, &soon()).unwrap();
    }
    let limits = AttachmentLimits { count: 8, part: 1024, total: 8192 };
    let found = client.attached(id, &image, &[STATEMENT], limits, &soon()).unwrap();
    let mut numbers: Vec<_> = found.iter().map(|it| (it.parts.len(), it.parts[0].bytes.clone())).collect();
    numbers.sort();
    assert_eq!(numbers, [(2, b"1".to_vec()), (2, b"2".to_vec())]);
    bed.run(&format!("run --registry {} acme/tool@latest", place(&registry))).succeeds();
}

/// Statements lie in a tag of their own where the registry has no list of referrers, and are copied by it.
#[test]
fn a_signed_package_is_believed_where_it_is_copied_to() {
    let (Some(one), Some(two)) = (RealRegistry::start(Manner::default()), RealRegistry::start(Manner::default()))
    else {
        return;
    };
    let bed = TestBed::new();
    let made = bed.run("--json policy sign --new-key own --no-password").succeeds().document().to_string();
    let start = made.find("RW").unwrap();
    let key = &made[start..start + 56];
    let signed = package("acme/tool@1.0.0").good().option("--sign", "own");
    bed.try_publish_in(&place(&one).to_string(), &signed).succeeds();
    let image = client(&one).resolve(&"acme/tool@1.0.0".parse().unwrap(), &soon()).unwrap().image_digest.unwrap();
    let run = |registry: &RealRegistry| {
        let place = place(registry);
        let entry = format!("{{registry: {place}, signed_by: [{{minisign: {key}}}]}}");
        bed.write(
            ".mcp/config.yaml",
            format!("registry_url: {place}\ntrusted_registries: [{entry}]\npolicy: {{min_score: 80}}\n"),
        );
        bed.run("run acme/tool@latest")
    };
    run(&one).succeeds().prints("acme/tool@1.0.0 runs\n");
    let copy = |tag: &str| {
        let image = |port: u16| format!("docker://localhost:{port}/mcp/acme/tool:{tag}");
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false"]);
        skopeo.args([image(one.port), image(two.port)]).env("HOME", bed.path(""));
        match skopeo.output() {
            Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                say("skipped: skopeo is not installed (Debian's package `skopeo`)");
                return false;
            }
            Err(error) => panic!("skopeo: {error}"),
        }
        true
    };
    if !copy("1.0.0") {
        return;
    }
    run(&two).exits(4);
    copy(&format!("sha256-{}", image.hex()));
    run(&two).succeeds().prints("acme/tool@1.0.0 runs\n");
    let revoke =
        format!("registry attest --registry {} --sign own --renew --status revoked acme/tool@1.0.0", place(&two));
    bed.run(&revoke).succeeds();
    run(&two).exits(4);
    run(&one).succeeds();
}

/// Puts packages there that differ in their names and versions alone. What `smcp` makes for each is made once.
fn fill(registry: &RealRegistry, template: &Value, bundle: &[u8], packages: &[(String, String)]) {
    let place = place(registry);
    let share = |packages: &[(String, String)]| {
        let nobodys = OciClient::new(&place.nobodys(), HttpSettings::default(), Box::new(|| Ok(None)));
        for (id, version) in packages {
            let mut document = template.clone();
            document["package"]["id"] = id.clone().into();
            document["package"]["version"] = version.clone().into();
            let client = nobodys.beside(place.repository(&id.parse().unwrap()).unwrap());
            let parts = client.push_package(document.to_string().as_bytes(), bundle, &soon()).unwrap();
            client.tag_package(&parts, version, &soon()).unwrap();
        }
    };
    std::thread::scope(|scope| {
        for packages in packages.chunks(packages.len().div_ceil(PUBLISHERS)) {
            scope.spawn(|| share(packages));
        }
    });
}

#[test]
fn a_thousand_packages_are_listed_and_found() {
    let Some(registry) = RealRegistry::start(Manner::default()) else { return };
    let bed = TestBed::new();
    let place = place(&registry);
    let first = package("acme/tool0@1.0.0").file("run.sh", "#!/bin/sh\necho one of many\n", 0o755);
    bed.try_publish_in(&place.to_string(), &first.entrypoint(json!({"command": ["./run.sh"]}))).succeeds();
    let resolution = client(&registry).resolve(&"acme/tool0@1.0.0".parse().unwrap(), &soon()).unwrap();
    let read = |artifact, digest| {
        let client = client(&registry);
        let mut bytes = Vec::new();
        let mut opened = client.artifact(&resolution.id, artifact, digest, &soon()).unwrap();
        std::io::Read::read_to_end(&mut opened, &mut bytes).unwrap();
        bytes
    };
    let document = read(smcp_registry::Artifact::Manifest, &resolution.manifest_digest);
    let bundle = read(smcp_registry::Artifact::Bundle, &resolution.bundle_digest);
    let template: Value = serde_json::from_slice(&document).unwrap();

    let packages: Vec<_> = (1..MANY).map(|number| (format!("acme/tool{number}"), "1.0.0".to_owned())).collect();
    let versions: Vec<_> = (0..VERSIONS).map(|number| ("acme/many".to_owned(), format!("1.{number}.0"))).collect();
    let began = Instant::now();
    fill(&registry, &template, &bundle, &packages);
    let filled = began.elapsed();
    fill(&registry, &template, &bundle, &versions);

    let timed = |line: &str| {
        let began = Instant::now();
        let ran = bed.run(&format!("--registry {place} {line}")).succeeds();
        (began.elapsed(), ran)
    };
    let (list, listed) = timed("--json registry list");
    let packages = listed.document()["packages"].as_array().unwrap().clone();
    assert_eq!(packages.len(), MANY + 1);
    assert!(packages.iter().all(|it| it["latest_version"].is_string()));
    assert_eq!(packages[0], json!({"package": "acme/many", "latest_version": format!("1.{}.0", VERSIONS - 1)}));
    let (exact, ran) = timed("run acme/tool999@1.0.0");
    ran.prints("one of many\n");
    let (again, _) = timed("run acme/tool999@1.0.0");
    let (latest, info) = timed("--json info acme/many@latest");
    assert_eq!(info.document()["package"], format!("acme/many@1.{}.0", VERSIONS - 1));
    let wanted = format!("acme/many@1.{}.0", VERSIONS - 256).parse().unwrap();
    let old = client(&registry).resolve(&wanted, &soon()).unwrap();
    let (image, _) = timed(&format!("info acme/many@{}", old.image_digest.unwrap()));
    let (document, _) = timed(&format!("info acme/many@{}", old.manifest_digest));
    bed.run(&format!("--registry {place} info acme/many@{}", old.bundle_digest)).refuses(2, &["digest"]);
    say(&format!(
        "a registry with {MANY} packages, and one of {VERSIONS} versions: filled in {filled:?}; listed in {list:?}; one started in \
         {exact:?}, again in {again:?}; the latest of all versions found in {latest:?}, one by its image in {image:?}, the \
         256th by its manifest document in {document:?}"
    ));
}
