//! Servers that are held to the hosts of their manifests, against real servers outside.

mod hostile;
mod observed;
mod outside;

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::net::IpAddr;
use std::process::Command;

use serde_json::Value;
use serde_json::json;

use crate::bed::Invocation;
use crate::bed::Package;
use crate::bed::ROOT;
use crate::hosts::outside::Outside;
use crate::world::TOOL;
use crate::world::World;
use crate::world::python_path;

const REACH: &str = include_str!("reach.py");

/// A server that asks for these hosts.
struct Held {
    world: World,
}

impl Held {
    /// `None` where this kernel has no namespaces for us: smcp has said so.
    fn to(hosts: &[&str]) -> Option<Self> {
        let held = Self::by(&json!({"network": {"outbound": hosts}}));
        let (state, missing) = held.world.foreseen();
        assert_eq!(state == "full", missing.is_empty(), "{state} {missing:?}");
        (!missing.iter().any(|gap| gap == "hosts")).then_some(held)
    }

    /// One with these permissions.
    fn by(permissions: &Value) -> Self {
        let world = World::new("");
        let server = Package::greeter(TOOL).entrypoint(json!({"command": ["python3", "reach.py"]}));
        let server = server.manifest(|manifest| manifest["permissions"] = permissions.clone());
        world.bed.publish(&server.file("reach.py", REACH, 0o644).good());
        Self { world }
    }

    fn invocation(&self, options: &str) -> Invocation<'_> {
        self.world.bed.smcp(&format!("run {options} {TOOL} --")).env("PATH", python_path())
    }

    /// Has the server try these ways.
    fn try_ways(&self, ways: &[&str]) -> Tries {
        Tries::of_run(self.invocation("").args(ways))
    }

    /// The hosts that the last run was refused, by the audit log.
    fn denied(&self) -> Vec<(String, u64)> {
        let log = self.world.bed.read(".mcp/audit.jsonl");
        let end = log.lines().rev().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let end = end.into_iter().find(|record| record["event"] == "end").unwrap();
        let denied = end["denied_hosts"].as_array().cloned().unwrap_or_default();
        let pair = |denied: &Value| Some((denied["host"].as_str()?.to_owned(), denied["count"].as_u64()?));
        denied.iter().map(|denied| pair(denied).unwrap()).collect()
    }
}

/// What a server has said.
struct Tries {
    stdout: String,
    stderr: String,
}

impl Tries {
    /// Runs a server to its end, and stays its client as long: nobody asks it to end.
    #[track_caller]
    fn of_run(mut invocation: Invocation<'_>) -> Self {
        let mut child = invocation.start();
        let stdin = child.stdin.take();
        let output = child.wait_with_output().unwrap();
        drop(stdin);
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{}: {stdout}\n{stderr}", output.status);
        Self { stdout, stderr }
    }

    /// What came of a way.
    #[track_caller]
    fn of(&self, way: &str) -> &str {
        let found = self.stdout.lines().find_map(|line| line.strip_prefix(way)?.strip_prefix(" -> "));
        found.unwrap_or_else(|| panic!("{way} was not tried: {}\n{}", self.stdout, self.stderr))
    }

    #[track_caller]
    fn all(&self, ways: &[&str], expected: &str) {
        for way in ways {
            assert!(self.of(way).contains(expected), "{way}: {} and not {expected}", self.of(way));
        }
    }
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn named_hosts_are_reached_by_ordinary_code() {
    let outside = Outside::start();
    let port = outside.port();
    let Some(held) = Held::to(&[&format!("localhost:{port}")]) else { return };
    let mut ways = vec![
        format!("get http://localhost:{port}/page"),
        format!("get http://127.0.0.1:{port}/page"),
        format!("get http://[::1]:{port}/page"),
        format!("through http://localhost:{port}/page"),
        format!("through http://127.0.0.1:{port}/page"),
    ];
    if has("curl") {
        ways.push(format!("program curl -sS http://localhost:{port}/page"));
        ways.push(format!("program curl -sS --noproxy '' -x http://127.0.0.1:3128 http://localhost:{port}/page"));
        ways.push(format!("program curl -sSp --noproxy '' -x http://127.0.0.1:3128 http://localhost:{port}/page"));
    }
    if has("node") {
        ways.push(format!("node 'fetch(\"http://localhost:{port}/page\").then(a => a.text()).then(console.log)'"));
        ways.push(format!("node 'require(\"http\").get(\"http://localhost:{port}/page\", a => a.on(\"data\", d => console.log(`${{d}}`)))'"));
        ways.push("node 'console.log(\"GET /page with\", Object.keys(os.networkInterfaces()))'".to_owned());
    }
    let ways: Vec<_> = ways.iter().map(String::as_str).collect();
    held.try_ways(&ways).all(&ways, "GET /page");
    assert_eq!(held.denied(), []);
}

#[test]
fn a_refused_host_ends_in_an_error_that_names_it() {
    let Some(held) = Held::to(&["api.example.com", "localhost:1"]) else { return };
    let tries = held.try_ways(&[
        "get http://evil.example/",
        "raw 'GET http://evil.example/ HTTP/1.1\\r\\n\\r\\n'",
        "raw 'CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n'",
        "tcp 192.0.2.1 443",
        "tcp 192.0.2.1 22",
        "tcp 198.18.0.9 443",
        "tcp 2001:db8::1 443",
        "tcp 127.0.0.1 80",
        "tcp 169.254.169.254 80",
        "udp 192.0.2.1 443",
        "program curl -sS https://evil.example/",
        "node 'fetch(\"https://evil.example/\").catch(e => console.log(e.cause.message))'",
    ]);
    let named = "evil.example:443 is not reached: the manifest of this server does not name it";
    assert!(tries.of("raw 'CONNECT evil.example:443 HTTP/1.1\\r\\n\\r\\n'").ends_with(named));
    let plain = tries.of("raw 'GET http://evil.example/ HTTP/1.1\\r\\n\\r\\n'");
    assert!(plain.starts_with("HTTP/1.1 403 Forbidden") && plain.contains("evil.example:80"), "{plain}");
    tries.all(&["get http://evil.example/"], "Name or service not known");
    tries.all(
        &[
            "tcp 192.0.2.1 443",
            "tcp 2001:db8::1 443",
            "tcp 198.18.0.9 443",
            "tcp 127.0.0.1 80",
            "tcp 169.254.169.254 80",
        ],
        "ConnectionResetError",
    );
    tries.all(&["tcp 192.0.2.1 22", "udp 192.0.2.1 443"], "ConnectionRefusedError");
    if has("curl") {
        tries.all(&["program curl -sS https://evil.example/"], "Could not resolve host: evil.example");
    }
    if has("node") {
        tries.all(
            &["node 'fetch(\"https://evil.example/\").catch(e => console.log(e.cause.message))'"],
            "ENOTFOUND evil.example",
        );
    }
    let denied = held.denied();
    for host in [
        "evil.example",
        "evil.example:80",
        "evil.example:443",
        "192.0.2.1:443",
        "[2001:db8::1]:443",
        "169.254.169.254:80",
    ] {
        assert!(denied.iter().any(|(known, count)| known == host && *count >= 1), "{host}: {denied:?}");
    }
    let said = Tries::of_run(held.invocation("-v").args(&["get http://evil.example/"])).stderr;
    assert!(
        said.contains("the server was refused evil.example: the manifest of this server does not name it"),
        "{said}"
    );
}

#[test]
fn every_nameserver_is_ours() {
    let Some(held) = Held::to(&["localhost:1", "*.invalid"]) else { return };
    for server in ["192.0.2.53", "127.0.0.53", "2001:db8::53"] {
        for how in ["udp", "tcp"] {
            let ways = [
                ("localhost", 1, "0 198.18.0.1"),
                ("localhost", 28, "0 nothing"),
                ("evil.example", 1, "3 nothing"),
                ("x.invalid", 1, "3 nothing"),
                ("localhost", 255, "0 nothing"),
            ];
            let ways = ways.map(|(name, kind, expected)| (format!("ask {name} {kind} {server} {how}"), expected));
            let tries = held.try_ways(&ways.each_ref().map(|(way, _)| way.as_str()));
            for (way, expected) in ways {
                assert_eq!(tries.of(&way), expected, "{way}");
            }
        }
    }
}

/// A name of this machine beside `localhost`, with its address; `None` where it has none.
fn other_name() -> Option<(String, IpAddr)> {
    let hosts = std::fs::read_to_string("/etc/hosts").ok()?;
    let entries = hosts.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    let named = entries.flat_map(|mut words| {
        let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
        words.filter_map(move |name| Some((name.to_owned(), address?)))
    });
    let is_other = |(name, address): &(String, IpAddr)| address.is_loopback() && *name != "localhost";
    // One that the system's services find, and at the loopback alone.
    named.filter(is_other).find(|(name, _)| {
        let found = Command::new("getent").args(["ahosts", name]).output().unwrap();
        let text = String::from_utf8(found.stdout).unwrap();
        let mut addresses = text.lines().filter_map(|line| line.split_whitespace().next()?.parse::<IpAddr>().ok());
        found.status.success() && addresses.all(|address| address.is_loopback())
    })
}

#[test]
fn a_name_that_leads_to_this_machine_is_no_way_to_it() {
    let outside = Outside::start();
    let port = outside.port();
    let Some((name, _)) = other_name() else { return };
    let Some(held) = Held::to(&[&format!("{name}:{port}")]) else { return };
    let ways = [
        format!("ask {name}"),
        format!("tcp 198.18.0.1 {port}"),
        format!("raw 'CONNECT {name}:{port} HTTP/1.1\\r\\n\\r\\n'"),
        format!("get http://{name}:{port}/page"),
    ];
    let ways = ways.each_ref().map(String::as_str);
    let tries = held.try_ways(&ways);
    assert_eq!(tries.of(ways[0]), "3 nothing");
    tries.all(&[ways[1], ways[3]], "Error: ");
    assert!(tries.of(ways[2]).starts_with("HTTP/1.1 403 ") && tries.of(ways[2]).contains(", this machine, and"));
    // The address is named by `localhost`, too.
    let Some(held) = Held::to(&[&format!("{name}:{port}"), &format!("localhost:{port}")]) else { return };
    let proxied = format!("through http://{name}:{port}/page");
    let tries = held.try_ways(&[ways[0], &proxied]);
    assert_eq!(tries.of(ways[0]), "0 198.18.0.1");
    assert!(tries.of(&proxied).starts_with("GET /page"), "{}", tries.of(&proxied));
}

#[test]
fn connections_are_as_long_as_many_and_as_half_as_they_like() {
    let outside = Outside::start();
    let port = outside.port();
    let Some(held) = Held::to(&[&format!("127.0.0.1:{port}")]) else { return };
    let (half, many) = (format!("half {port} 8000000"), format!("many {port} 2000"));
    let tries = held.try_ways(&[&half, &many]);
    assert_eq!((tries.of(&half), tries.of(&many)), ("8000000", "2000"));
}

#[test]
fn the_proxy_of_the_user_is_gone_through() {
    let outside = Outside::start();
    let port = outside.port();
    let Some(held) = Held::to(&["api.example.com", "refused.example.com", "any.example.com:*"]) else { return };
    let ways = [
        "get http://api.example.com/page",
        "through http://any.example.com:8080/page",
        "through https://any.example.com:8443/page",
        "get http://refused.example.com/",
        "proxies",
        "get http://evil.example/",
    ];
    let proxy = format!("http://user:pass@127.0.0.1:{port}");
    let tries = Tries::of_run(held.invocation("").args(&ways).env("HTTPS_PROXY", &proxy));
    assert_eq!(tries.of(ways[0]), "GET /page HTTP/1.1 at api.example.com");
    assert_eq!(tries.of(ways[1]), "GET /page HTTP/1.1 at any.example.com");
    tries.all(&[ways[3]], "Connection reset");
    tries.all(&[ways[5]], "Name or service not known");
    // Nobody speaks TLS behind that port.
    tries.all(&[ways[2]], "SSL");
    // A port that no address answers on needs ours; the user's leads nowhere.
    tries.all(&["proxies"], "HTTPS_PROXY=http://127.0.0.1:3128");
    let heard = outside.end();
    let authorized =
        "CONNECT api.example.com:80 HTTP/1.1; Host: api.example.com:80; Proxy-Authorization: Basic dXNlcjpwYXNz";
    assert!(heard.contains(authorized) && heard.contains("CONNECT any.example.com:8080 HTTP/1.1"), "{heard}");
    assert!(heard.contains("CONNECT any.example.com:8443 HTTP/1.1"), "{heard}");
    assert!(!heard.contains("evil"), "{heard}");
}

#[test]
fn a_server_is_told_of_no_proxy_that_it_does_not_need() {
    let Some(held) = Held::to(&["api.example.com"]) else { return };
    let line = "--env HTTPS_PROXY=http://proxy.example:3128 --env no_proxy=x";
    let tries = Tries::of_run(held.invocation(line).args(&["proxies", "interfaces"]));
    assert_eq!((tries.of("proxies"), tries.of("interfaces")), ("", "lo"));
}

#[test]
fn a_server_does_not_outlive_a_killed_smcp() {
    let outside = Outside::start();
    let port = outside.port();
    let Some(held) = Held::to(&[&format!("localhost:{port}")]) else { return };
    let ways = [format!("get http://localhost:{port}/page"), format!("tcp 127.0.0.1 {port}")];
    let mut child = held.invocation("").args(&ways).start();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("GET /page"), "{line}");
    // It waits for a byte that never comes.
    child.kill().unwrap();
    child.wait().unwrap();
    line.clear();
    said.read_to_string(&mut line).unwrap();
    assert!(!line.contains("connected"), "{line}");
}

#[test]
fn where_namespaces_are_refused_hosts_are_open_and_that_is_said() {
    let Some(held) = Held::to(&["api.example.com"]) else { return };
    let bed = &held.world.bed;
    if !has("unshare") {
        return;
    }
    let nothing = "no setting of the system refuses namespaces";
    for (how, advice) in [
        ("echo 0 > /proc/sys/user/max_user_namespaces", "raise `sysctl user.max_user_namespaces`"),
        ("echo 0 > /proc/sys/user/max_net_namespaces", "raise `sysctl user.max_net_namespaces`"),
        // A new namespace gets its users by files of `/proc`.
        ("mount -o remount,bind,ro /proc", nothing),
        ("mount -t tmpfs none /proc", nothing),
    ] {
        let run = |line: &str, way: Option<&str>| {
            let mut command = Command::new("unshare");
            let script = format!("{how} && exec \"$0\" \"$@\"");
            command.args(["-Urm", "sh", "-c", &script, env!("CARGO_BIN_EXE_smcp")]).args(line.split(' ')).args(way);
            let output = command
                .env_clear()
                .env("HOME", bed.path(""))
                .env("PATH", python_path())
                .current_dir(ROOT)
                .output()
                .unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let (_, document, errors) = run(&format!("run --dry-run --json {TOOL}"), None);
        let document: Value = serde_json::from_str(&document).unwrap_or_else(|_| panic!("{how}: {document} {errors}"));
        assert_eq!(document["confinement"]["state"], "partial", "{how}: {document}");
        assert!(document["confinement"]["missing"].as_array().unwrap().contains(&json!("hosts")), "{how}: {document}");
        let (code, said, errors) = run(&format!("run --confinement required {TOOL} --"), Some("interfaces"));
        assert_eq!(code, Some(4), "{how}: {said} {errors}");
        assert!(
            errors.contains("hosts are open: no namespaces here") && errors.contains("smcp doctor"),
            "{how}: {errors}"
        );
        let (_, said, _) = run("doctor", None);
        assert!(said.contains(advice), "{how}: {said}");
        let (code, said, errors) = run(&format!("run {TOOL} --"), Some("namespace net"));
        assert_eq!(code, Some(0), "{how}: {said} {errors}");
        let outside = std::fs::read_link("/proc/self/ns/net").unwrap();
        // Without `/proc` a server has no way to say it.
        assert!(said.contains(outside.to_str().unwrap()) || how.ends_with("none /proc"), "{how}: {said}");
    }
}
