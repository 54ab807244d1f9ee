//! Tests of the distances of addresses, and of where a registry can send us.

use std::collections::HashMap;
use std::net::SocketAddr;

use ureq::unversioned::transport::time::Duration;

use super::*;

#[test]
fn every_kind_of_address_is_known() {
    use Reach::Loopback;
    use Reach::Private;
    use Reach::Public;
    use Reach::Special;
    let cases = [
        ("93.184.216.34", Public),
        ("9.255.255.255", Public),
        ("11.0.0.0", Public),
        ("172.15.255.255", Public),
        ("172.32.0.0", Public),
        ("100.63.255.255", Public),
        ("100.128.0.0", Public),
        ("10.0.0.1", Private),
        ("172.16.0.1", Private),
        ("172.31.255.255", Private),
        ("192.168.1.1", Private),
        ("100.64.0.1", Private),
        ("127.0.0.1", Loopback),
        ("127.255.255.254", Loopback),
        ("0.0.0.0", Special),
        ("0.1.2.3", Special),
        ("169.254.169.254", Special),
        ("192.0.0.1", Special),
        ("192.0.2.1", Special),
        ("168.63.129.15", Public),
        ("168.63.129.16", Special),
        ("192.88.99.1", Special),
        ("198.18.0.1", Special),
        ("198.51.100.1", Special),
        ("203.0.113.1", Special),
        ("224.0.0.1", Special),
        ("240.0.0.1", Special),
        ("255.255.255.255", Special),
        ("2606:2800:220:1::1", Public),
        ("::1", Loopback),
        ("fd00::1", Private),
        ("fc00::1", Private),
        ("::", Special),
        ("fe80::1", Special),
        ("fec0::1", Special),
        ("ff02::1", Special),
        ("2001:db8::1", Special),
        ("2001::1", Special),
        ("3fff::1", Special),
        ("100::1", Special),
        ("64:ff9b:1::1", Special),
        ("::ffff:127.0.0.1", Loopback),
        ("::ffff:10.0.0.1", Private),
        ("::ffff:169.254.169.254", Special),
        ("::ffff:93.184.216.34", Public),
        ("::127.0.0.1", Loopback),
        ("::ffff:0:10.0.0.1", Private),
        ("64:ff9b::10.0.0.1", Private),
        ("64:ff9b::93.184.216.34", Public),
        ("2002:7f00:1::", Loopback),
        ("2002:a00:1::", Private),
    ];
    for (address, expected) in cases {
        assert_eq!(Reach::of(address.parse().unwrap()), expected, "{address}");
    }
}

/// A resolver whose look-ups of a name return these lists of addresses, one after the other.
#[derive(Debug)]
struct Names(Mutex<HashMap<&'static str, Vec<Vec<&'static str>>>>);

impl Names {
    fn new(table: &[(&'static str, &[&[&'static str]])]) -> Self {
        let answers = |lists: &[&[&'static str]]| lists.iter().rev().map(|list| list.to_vec()).collect();
        Self(Mutex::new(table.iter().map(|(name, lists)| (*name, answers(lists))).collect()))
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut table = self.0.lock().unwrap();
        let lists = table.get_mut(uri.host().unwrap()).ok_or(ureq::Error::HostNotFound)?;
        let list = if lists.len() > 1 { lists.pop().unwrap() } else { lists[0].clone() };
        let mut found = self.empty();
        list.iter().for_each(|address| found.push(SocketAddr::new(address.parse().unwrap(), 443)));
        Ok(found)
    }
}

fn guard(home: &str, table: &[(&'static str, &[&[&'static str]])]) -> AddressGuard {
    AddressGuard::new(endpoint(&home.parse().unwrap()).unwrap(), Sightings::default(), Names::new(table))
}

/// The addresses that may be connected to, or the error.
fn connects(guard: &AddressGuard, url: &str) -> Result<Vec<String>, String> {
    let timeout =
        NextTimeout { after: Duration::NotHappening, reason: ureq::Timeout::Global, ..NextTimeout::default() };
    match guard.resolve(&url.parse().unwrap(), &Config::default(), timeout) {
        Ok(addresses) => Ok(addresses.iter().map(|address| address.ip().to_string()).collect()),
        Err(ureq::Error::Other(error)) => Err(error.downcast::<Forbidden>().unwrap().to_string()),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_registry_leads_no_nearer_than_it_is() {
    const TARGETS: [(&str, &[&[&str]]); 6] = [
        ("public.example", &[&["93.184.216.34"]]),
        ("private.example", &[&["10.1.2.3"]]),
        ("local.example", &[&["127.0.0.1"]]),
        ("cloud.example", &[&["169.254.169.254"]]),
        ("mapped.example", &[&["::ffff:10.1.2.3"]]),
        ("both.example", &[&["10.1.2.3", "93.184.216.34"]]),
    ];
    let cases = [
        (&["93.184.216.35"][..], ["yes", "no", "no", "no", "no", "93.184.216.34"]),
        (&["10.0.0.1"], ["yes", "yes", "no", "no", "yes", "all"]),
        (&["100.64.0.1", "fd00::1"], ["yes", "yes", "no", "no", "yes", "all"]),
        (&["10.0.0.1", "93.184.216.35"], ["yes", "no", "no", "no", "no", "93.184.216.34"]),
        (&["127.0.0.1"], ["yes", "yes", "yes", "no", "yes", "all"]),
        (&["169.254.1.1"], ["yes", "yes", "no", "no", "yes", "all"]),
    ];
    for (home, expected) in cases {
        for ((target, lists), expected) in TARGETS.into_iter().zip(expected) {
            let guard = guard("https://home.example", &[("home.example", &[home]), (target, lists)]);
            connects(&guard, "https://home.example/v1").unwrap();
            let reached = connects(&guard, &format!("https://{target}/blob"));
            let told = match &reached {
                Err(_) => "no",
                Ok(all) if all.len() == lists[0].len() && all.len() == 1 => "yes",
                Ok(all) if all.len() == lists[0].len() => "all",
                Ok(some) => some[0].as_str(),
            };
            assert_eq!(told, expected, "{home:?} → {target}: {reached:?}");
        }
    }
}

/// Whether the last hop of a chain of redirects is followed.
fn followed(home: &'static str, hops: &[&'static str]) -> bool {
    let names = ["a.example", "b.example", "c.example"];
    let mut table: HashMap<_, _> = names.into_iter().zip(hops).map(|(name, hop)| (name, vec![vec![*hop]])).collect();
    table.insert("home.example", vec![vec![home]]);
    let home = endpoint(&"https://home.example".parse().unwrap()).unwrap();
    let guard = AddressGuard::new(home, Sightings::default(), Names(Mutex::new(table)));
    guard.seen.begin();
    connects(&guard, "https://home.example/").unwrap();
    let hops: Vec<_> = names[..hops.len()].iter().map(|name| connects(&guard, &format!("https://{name}/"))).collect();
    let (last, before) = hops.split_last().unwrap();
    assert!(before.iter().all(Result::is_ok), "{hops:?}");
    // They don't count for the next request.
    guard.seen.begin();
    assert!(connects(&guard, "https://home.example/").is_ok());
    last.is_ok()
}

#[test]
fn a_chain_leads_no_nearer_than_anybody_in_it() {
    const PUBLIC: &str = "93.184.216.34";
    const PRIVATE: &str = "10.1.2.3";
    const LOOPBACK: &str = "127.0.0.1";
    let cases = [
        (PRIVATE, &[PRIVATE, PRIVATE][..], true),
        (PRIVATE, &[PUBLIC, PUBLIC], true),
        (PRIVATE, &[PUBLIC, PRIVATE], false),
        (PRIVATE, &[PRIVATE, PUBLIC, PRIVATE], false),
        (LOOPBACK, &[LOOPBACK, LOOPBACK], true),
        (LOOPBACK, &[PRIVATE, PRIVATE], true),
        (LOOPBACK, &[PRIVATE, LOOPBACK], false),
        (LOOPBACK, &[PUBLIC, LOOPBACK], false),
        (PUBLIC, &[PUBLIC, PRIVATE], false),
    ];
    for (home, hops, expected) in cases {
        assert_eq!(followed(home, hops), expected, "{home} → {hops:?}");
    }
}

#[test]
fn a_hop_that_only_a_proxy_has_seen_is_public() {
    let table: [(&str, &[&[&str]]); 2] = [("home.example", &[&["10.0.0.1"]]), ("private.example", &[&["10.1.2.3"]])];
    let guard = guard("https://home.example", &table);
    connects(&guard, "https://home.example/").unwrap();
    connects(&guard, "https://private.example/").unwrap();
    guard.seen.note_unseen();
    assert!(connects(&guard, "https://private.example/").is_err());
    guard.seen.begin();
    connects(&guard, "https://private.example/").unwrap();
}

#[test]
fn a_name_that_is_looked_up_again_gains_nothing() {
    let guard = guard(
        "https://home.example",
        &[
            ("home.example", &[&["93.184.216.35"], &["10.0.0.1"], &["93.184.216.35"]]),
            ("storage.example", &[&["93.184.216.34"], &["127.0.0.1"]]),
            ("private.example", &[&["10.1.2.3"]]),
        ],
    );
    connects(&guard, "https://home.example/").unwrap();
    connects(&guard, "https://storage.example/").unwrap();
    // The second look-up of each name returns another address: DNS rebinding.
    assert_eq!(connects(&guard, "https://storage.example/"), Err("storage.example is this machine".to_owned()));
    connects(&guard, "https://home.example/").unwrap();
    let refused = connects(&guard, "https://private.example/");
    assert_eq!(refused, Err("private.example is an address of a private network".to_owned()), "once public, always");
}

#[test]
fn a_registry_that_only_a_proxy_has_seen_is_public() {
    let guard = guard("https://home.example", &[("private.example", &[&["10.1.2.3"]])]);
    assert!(connects(&guard, "https://private.example/").is_err());
}

#[test]
fn without_encryption_there_is_only_this_machine() {
    let table: [(&str, &[&[&str]]); 1] = [("localhost", &[&["93.184.216.34", "127.0.0.1"], &["93.184.216.34"]])];
    let guard = guard("http://localhost:443", &table);
    assert_eq!(connects(&guard, "http://localhost:443/"), Ok(vec!["127.0.0.1".to_owned()]));
    assert_eq!(connects(&guard, "http://localhost:443/"), Err("localhost is a public address".to_owned()));
}

#[test]
fn the_same_host_on_another_port_is_another_server() {
    let guard = guard("https://home.example", &[("home.example", &[&["93.184.216.35"], &["10.0.0.1"]])]);
    connects(&guard, "https://home.example/").unwrap();
    assert!(connects(&guard, "https://home.example:8443/").is_err());
}
