//! Hosts: names, addresses, and everything below a domain.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use crate::settings::CheckedSetting;

/// The most bytes of a pattern or a host: those of the longest name in DNS.
const MAX: usize = 253;

/// The most bytes of a label of a name.
const MAX_LABEL: usize = 63;

/// Hosts that a server may ask for, as a setting: `api.example.com`, `*.example.com`, `192.0.2.1`, `[2001:db8::1]`,
/// each with `:PORT` or `:*`; or `*`.
///
/// | pattern | covers | does not cover |
/// |---|---|---|
/// | `example.com` | `example.com`, `EXAMPLE.com.` | anything below it, `example.com:443`, `*.example.com` |
/// | `*.example.com` | `a.example.com`, `a.b.example.com`, `*.a.example.com`, itself | `example.com`, `evilexample.com` |
/// | `example.com:8443` | the same host with the same port | `example.com`, which may mean any port |
/// | `example.com:*` | the host with any port, or with none | |
/// | `192.0.2.1` | that address, however an IPv6 address is abbreviated | a name, `192.0.2.1:80`, `[::ffff:192.0.2.1]` |
/// | `*` | everything, even a text that is not a host | |
///
/// A domain is not below itself: a list that allows `example.com`, too, has to name it. A request may be a pattern,
/// which is covered when all of its hosts are. Names are ASCII; other letters are written as punycode (`xn--…`) and not
/// covered otherwise, because two of them can look alike. Addresses in other forms (`127.1`, `0x7f.0.0.1`,
/// `2130706433`), URLs, white space, zones, and a `*` anywhere but in front of a domain are covered by nothing but `*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    hosts: Hosts, // INVARIANT: all three are of one text, and made by `new` only.
    port: Port,
    written: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// One name, in small letters and without the dot at its end.
    Named(String),
    /// All names below this one.
    Below(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    NotSaid,
    All,
    Number(u16),
}

impl HostPattern {
    /// Reads a pattern; `None` for any other text.
    pub fn new(written: &str) -> Option<Self> {
        let (hosts, port) = read(written)?;
        Some(Self { hosts, port, written: written.to_owned() })
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Whether the pattern covers everything that is asked for.
    pub fn covers(&self, asked: &str) -> bool {
        if self.hosts == Hosts::All {
            return true;
        }
        let Some((hosts, port)) = read(asked) else { return false };
        (self.port == Port::All || self.port == port) && self.hosts.cover(&hosts)
    }
}

impl Hosts {
    fn cover(&self, asked: &Self) -> bool {
        match (self, asked) {
            (Self::Below(domain), Self::Named(name)) => is_below(name, domain),
            (Self::Below(domain), Self::Below(other)) => domain == other || is_below(other, domain),
            _ => self == asked,
        }
    }
}

/// Whether a name has at least one label more than the domain that it ends with.
fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|labels| labels.ends_with('.'))
}

fn read(text: &str) -> Option<(Hosts, Port)> {
    if text == "*" {
        return Some((Hosts::All, Port::NotSaid));
    }
    if text.len() > MAX {
        return None;
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        // An IPv4 address as the last two groups would be a second way to write the same address.
        let address = Some(address).filter(|address| !address.contains('.'))?;
        return Some((Hosts::V6(address.parse().ok()?), port(rest)?));
    }
    let end = text.find(':').unwrap_or(text.len());
    let (host, rest) = text.split_at_checked(end)?;
    let hosts = match (host.parse(), host.strip_prefix("*.")) {
        (Ok(address), _) => Hosts::V4(address),
        (Err(_), Some(domain)) => Hosts::Below(name(domain)?),
        (Err(_), None) => Hosts::Named(name(host)?),
    };
    Some((hosts, port(rest)?))
}

/// Reads `:PORT`, `:*` or nothing.
fn port(text: &str) -> Option<Port> {
    if text.is_empty() {
        return Some(Port::NotSaid);
    }
    let number = text.strip_prefix(':')?;
    if number == "*" {
        return Some(Port::All);
    }
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0');
    number.parse().ok().filter(|_| is_plain).map(Port::Number)
}

/// Reads a name, with or without the dot of the root. Its last label begins with a letter, as every top-level domain
/// does: some readers take a name that ends in a number for an address.
fn name(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_name = name.split('.').all(is_label);
    let last = name.rsplit('.').next().and_then(|label| label.bytes().next())?;
    (is_name && last.is_ascii_alphabetic()).then(|| name.to_ascii_lowercase())
}

fn is_label(label: &str) -> bool {
    let is_plain = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_plain && (1..=MAX_LABEL).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
}

impl CheckedSetting for HostPattern {
    type Written = String;

    const KEYWORDS: &'static str = concat!(
        r#""maxLength":253,"pattern":"^(\\*|("#,
        // A name, or all below it.
        r"(\\*\\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.?|",
        // An IPv4 address.
        r"((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])|",
        // An IPv6 address.
        r"\\[(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}|::|:(:[0-9A-Fa-f]{1,4}){1,7}|([0-9A-Fa-f]{1,4}:){1,7}:|",
        r"([0-9A-Fa-f]{1,4}:){1,6}(:[0-9A-Fa-f]{1,4})|([0-9A-Fa-f]{1,4}:){1,5}(:[0-9A-Fa-f]{1,4}){1,2}|",
        r"([0-9A-Fa-f]{1,4}:){1,4}(:[0-9A-Fa-f]{1,4}){1,3}|([0-9A-Fa-f]{1,4}:){1,3}(:[0-9A-Fa-f]{1,4}){1,4}|",
        r"([0-9A-Fa-f]{1,4}:){1,2}(:[0-9A-Fa-f]{1,4}){1,5}|[0-9A-Fa-f]{1,4}:(:[0-9A-Fa-f]{1,4}){1,6})\\]",
        // A port.
        r")(:(\\*|6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?)$",
        r#"""#
    );

    fn check(written: String) -> Result<Self, Cow<'static, str>> {
        Self::new(&written).ok_or_else(|| {
            "a host like `api.example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, with `:PORT` or `:*` for a port, \
             or `*`"
                .into()
        })
    }
}
