//! Which hosts are reached, with a resolver that knows a few names.

use super::*;

/// Knows a few names, and counts how often it is asked.
#[derive(Debug, Default)]
struct Known {
    asked: Mutex<Vec<String>>,
}

impl Resolve for Known {
    fn resolve(&self, name: &str, _: Duration) -> io::Result<Vec<IpAddr>> {
        self.asked.lock().unwrap().push(name.to_owned());
        let addresses: &[&str] = match name {
            "public.example" => &["93.184.216.34", "2606:2800:220:1::1"],
            "mixed.example" => &["10.0.0.1", "93.184.216.34"],
            "private.example" => &["192.168.1.1"],
            "keys.example" => &["169.254.169.254", "fd00:ec2::254"],
            "here.example" => &["127.0.0.1"],
            "mapped.example" => &["::ffff:127.0.0.1", "64:ff9b::7f00:1"],
            "down.example" => return Err(io::ErrorKind::TimedOut.into()),
            _ => &[],
        };
        Ok(addresses.iter().map(|address| address.parse().unwrap()).collect())
    }
}

fn reachable(hosts: &[&str], above: Option<Upstream>) -> (Reachable, Arc<Known>) {
    let known = Arc::new(Known::default());
    let resolver = Arc::<Known>::clone(&known);
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    (Reachable::new(AllowedHosts::of(&hosts), resolver, above, Denials::default(), Reached::default()), known)
}

fn found(reachable: &Reachable, host: &str, port: Option<u16>) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    match runtime.block_on(reachable.find(host, port)) {
        Ok(HostRoute::Direct(addresses)) => addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        Ok(HostRoute::Above) => "above".to_owned(),
        Err(Unreachable::NotNamed) => "not named".to_owned(),
        Err(Unreachable::Inner(address)) => format!("inner {address}"),
        Err(Unreachable::Unknown) => "unknown".to_owned(),
        Err(Unreachable::Failed(error)) => format!("failed {}", error.kind()),
    }
}

#[test]
fn a_named_host_is_reached_at_addresses_of_the_internet_alone() {
    let (reachable, _) = reachable(&["*.example"], None);
    for (host, expected) in [
        ("public.example", "93.184.216.34 2606:2800:220:1::1"),
        ("PUBLIC.example.", "93.184.216.34 2606:2800:220:1::1"),
        ("mixed.example", "93.184.216.34"),
        ("private.example", "inner 192.168.1.1"),
        ("keys.example", "inner 169.254.169.254"),
        ("here.example", "inner 127.0.0.1"),
        ("mapped.example", "inner 127.0.0.1"),
        ("nobody.example", "unknown"),
        ("down.example", "failed timed out"),
        ("public.example.evil", "not named"),
        ("localhost", "not named"),
        ("127.0.0.1", "not named"),
        ("[::ffff:127.0.0.1]", "not named"),
        ("93.184.216.34", "not named"),
        ("169.254.169.254", "not named"),
        ("2130706433", "not named"),
        ("0x7f.1", "not named"),
        ("*.example", "not named"),
        ("", "not named"),
    ] {
        assert_eq!(found(&reachable, host, Some(443)), expected, "{host}");
    }
    assert_eq!(found(&reachable, "public.example", Some(22)), "not named");
}

#[test]
fn what_is_not_named_is_never_looked_up() {
    let (reachable, known) = reachable(&["public.example"], None);
    for host in ["evil.example", "secret-in-a-name.evil.example", "public.example:443", "localhost"] {
        assert_eq!(found(&reachable, host, None), "not named", "{host}");
    }
    assert_eq!(known.asked.lock().unwrap().len(), 0);
    for _ in 0..3 {
        found(&reachable, "public.example", Some(443));
    }
    assert_eq!(*known.asked.lock().unwrap(), ["public.example"], "once for the next seconds");
}

#[test]
fn inner_addresses_are_reached_when_they_are_named() {
    let (reachable, _) =
        reachable(&["private.example:8080", "192.168.1.1:8080", "localhost:9000", "here.example:9000"], None);
    for (host, port, expected) in [
        ("private.example", 8080, "192.168.1.1"),
        ("192.168.1.1", 8080, "192.168.1.1"),
        ("192.168.1.1", 80, "not named"),
        ("localhost", 9000, "127.0.0.1 ::1"),
        ("127.0.0.1", 9000, "127.0.0.1 ::1"),
        ("[::1]", 9000, "::1 127.0.0.1"),
        ("127.0.0.2", 9000, "127.0.0.2"),
        ("here.example", 9000, "127.0.0.1"),
        ("localhost", 9001, "not named"),
    ] {
        assert_eq!(found(&reachable, host, Some(port)), expected, "{host}:{port}");
    }
}

#[test]
fn the_proxy_above_looks_names_up_but_for_this_machine() {
    let above = Upstream {
        host: "proxy.example".to_owned(),
        port: 3128,
        authorization: None,
        covers: Box::new(|host, _| host != "except.example"),
    };
    let (reachable, known) =
        reachable(&["private.example", "except.example", "localhost", "127.0.0.1", "10.0.0.1"], Some(above));
    for (host, expected) in [
        ("private.example", "above"),
        ("10.0.0.1", "above"),
        ("localhost", "127.0.0.1 ::1"),
        ("127.0.0.1", "127.0.0.1 ::1"),
        ("other.example", "not named"),
        ("except.example", "unknown"),
    ] {
        assert_eq!(found(&reachable, host, Some(443)), expected, "{host}");
    }
    assert_eq!(*known.asked.lock().unwrap(), ["except.example"]);
}
