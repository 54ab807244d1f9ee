//! Clients of HTTP, of npm and PyPI: in a server that is held to hosts they work as they are, and need no proxy.
//!
//! The host is behind a proxy above smcp, since names of these tests can't be made known to the system.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::has;
use crate::outside::Outside;
use crate::say;

const PYTHON: [&str; 3] = ["requests==2.34.2", "httpx==0.28.1", "aiohttp==3.14.5"];
/// The last axios that speaks to proxies in a way of its own is among them.
const NODE: [&str; 4] = ["axios@1.11.0", "undici@6.28.0", "node-fetch@3.3.2", "got@13.0.0"];
const SERVER: &str = include_str!("clients.py");
const GO: &str = include_str!("client.go");
const TOOL: &str = "acme/clients@1.0.0";

/// A folder with the clients of one language; `None`, which is said, where they can't be installed.
fn installed(name: &str, program: &str, arguments: &[&str], packages: &[&str]) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http-clients").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let install = Command::new(program).args(arguments).arg(&folder).args(packages).output();
    let is_there = install.as_ref().is_ok_and(|output| output.status.success());
    if !is_there {
        say(&format!("skipped: clients of HTTP, since `{program}` can't install them: {install:?}"));
    }
    is_there.then_some(folder)
}

/// A client of Go, which asks nameservers by itself; `None`, which is said, where there is no Go.
fn go_client() -> Option<Vec<u8>> {
    if !has("go", &["version"]) {
        return None;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http-clients/go");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("client.go"), GO).unwrap();
    let mut build = Command::new("go");
    build.args(["build", "-o", "client", "client.go"]).current_dir(&folder).env("GOCACHE", folder.join("cache"));
    let built = build.env("GO111MODULE", "off").env("CGO_ENABLED", "0").output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    Some(std::fs::read(folder.join("client")).unwrap())
}

#[test]
fn clients_of_http_need_no_proxy_and_name_what_they_were_refused() {
    if !(has("python3", &["-m", "pip", "--version"]) && has("npm", &["--version"])) {
        return;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade", "--target"];
    let npm = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
    let Some(python) = installed("python", "python3", &pip, &PYTHON) else { return };
    let Some(node) = installed("node", "npm", &npm, &NODE) else { return };
    let bed = TestBed::new();
    bed.configure("");
    let made = rcgen::generate_simple_self_signed(vec!["api.example.com".to_owned()]).unwrap();
    bed.write("certificate", made.cert.pem());
    bed.write("both", format!("{}{}", made.signing_key.serialize_pem(), made.cert.pem()));
    let read = [&python, &node, &bed.path("certificate")].map(|path| path.to_str().unwrap().to_owned());
    let server = Package::greeter(TOOL).entrypoint(json!({"command": ["python3", "clients.py"]}));
    let server = match go_client() {
        Some(client) => server.file("go-client", client, 0o755),
        None => server,
    };
    let server = server.file("clients.py", SERVER, 0o644).manifest(|manifest| {
        manifest["permissions"] = json!({"network": {"outbound": ["api.example.com"]}, "filesystem": {"read": read}});
    });
    bed.publish(&server.good());
    let foreseen = bed.run(&format!("run --dry-run --json {TOOL}")).document();
    if foreseen["confinement"]["missing"].as_array().unwrap().contains(&json!("hosts")) {
        say("skipped: clients of HTTP, since this user can't make namespaces");
        return;
    }
    let outside = Outside::with(Some(&bed.path("both")));
    let mut run = bed.smcp(&format!("run {TOOL} --")).args(&read);
    run = run.env("HTTPS_PROXY", format!("http://127.0.0.1:{}", outside.port()));
    #[expect(clippy::disallowed_methods, reason = "where the runtimes are")]
    let path = std::env::var_os("PATH").unwrap();
    let mut child = run.env("PATH", path).start();
    let stdin = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = said.lines().filter_map(|line| line.split_once(": ")).collect();
    assert!(lines.len() >= 40, "{said} {}", String::from_utf8_lossy(&output.stderr));
    for (client, outcome) in lines {
        let expected = if client.contains("evil.example") {
            ["ENOTFOUND evil.example", "not known", "Could not resolve host: evil.example", "evil.example"].as_slice()
        } else {
            ["GET /page HTTP/1.1 at api.example.com"].as_slice()
        };
        assert!(expected.iter().any(|words| outcome.contains(words)), "{client}: {outcome}");
        say(&format!("  {client}: {outcome}"));
    }
}
