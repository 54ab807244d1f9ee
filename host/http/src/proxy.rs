//! The proxy of the environment, and the servers that are reached without it.

use std::fmt;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ureq::Proxy;
use ureq::ProxyProtocol;

use crate::problem::HttpProblem;
use crate::problem::shown;
use smcp_model::endpoint::Endpoint;
use smcp_model::endpoint::Scheme;
use smcp_model::secret::Secret;
use smcp_model::text::SafeText;

/// The proxy of the environment. It is used for `https`, and never for this machine.
#[derive(Clone, Default)]
pub struct ProxySettings {
    /// The variable that has it, and the value.
    pub url: Option<(&'static str, String)>,
    /// The hosts that are reached without it: the variable, and its value.
    pub except: Option<(&'static str, String)>,
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address may contain a password.
        let variable = self.url.as_ref().map(|(variable, _)| variable);
        f.debug_struct("ProxySettings").field("url", &variable).field("except", &self.except).finish()
    }
}

/// The proxy of a request, for messages: without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    place: SafeText,
    variable: &'static str,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "through the proxy {} of {}", self.place, self.variable)
    }
}

/// A parsed proxy.
#[derive(Debug)]
pub(crate) struct ParsedProxy {
    pub(crate) proxy: Proxy,
    pub(crate) via: Via,
    exceptions: Vec<NoProxyEntry>,
}

impl ParsedProxy {
    /// Whether requests to `target` go through it.
    pub(crate) fn is_for(&self, target: &Endpoint) -> bool {
        !self.exceptions.iter().any(|exception| exception.covers(target))
    }
}

impl ProxySettings {
    /// Parses the proxy. An invalid one is an error, since the user did not mean to go without a proxy.
    pub(crate) fn parse(&self) -> Result<Option<ParsedProxy>, HttpProblem> {
        let Some((variable, url)) = &self.url else { return Ok(None) };
        let invalid = || HttpProblem::Proxy { variable };
        let parsed = Proxy::new(url.trim()).map_err(|_| invalid())?;
        let authority = parsed.uri().authority().map(|authority| authority.as_str()).unwrap_or_default();
        let place = authority.rsplit('@').next().unwrap_or_default();
        let supported = matches!(parsed.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
        if !supported || Endpoint::new(Scheme::Https, place).is_none() {
            return Err(invalid());
        }
        let mut builder = Proxy::builder(parsed.protocol()).host(parsed.host()).port(parsed.port());
        if let Some(user) = parsed.username() {
            builder = builder.username(user);
        }
        if let Some(password) = parsed.password() {
            builder = builder.password(password);
        }
        let proxy = builder.build().map_err(|_| invalid())?;
        let via = Via { place: shown(&format!("{}:{}", parsed.host(), parsed.port())), variable };
        Ok(Some(ParsedProxy { proxy, via, exceptions: self.exceptions().filter_map(Result::ok).collect() }))
    }

    /// The proxy as a way to any host, for whoever makes connections; `None` when there is none.
    ///
    /// # Errors
    /// When it is not valid, or is to be spoken to over TLS.
    pub fn tunnel(&self) -> Result<Option<Tunnel>, HttpProblem> {
        let Some(parsed) = self.parse()? else { return Ok(None) };
        if parsed.proxy.protocol() == ProxyProtocol::Http {
            return Ok(Some(Tunnel(parsed)));
        }
        let variable = self.url.as_ref().map_or("HTTPS_PROXY", |(variable, _)| variable);
        Err(HttpProblem::Proxy { variable })
    }

    /// Returns a sentence about each exception that is not valid; nothing when no proxy is set.
    pub fn remarks(&self) -> Vec<String> {
        let Some((variable, _)) = self.except.as_ref().filter(|_| self.url.is_some()) else { return Vec::new() };
        let unknown = self.exceptions().filter_map(Result::err);
        unknown
            .map(|entry| {
                format!(
                    "{variable} has `{}`, which is no host, no address and no network, so it excepts nothing from the \
                     proxy; expected NAME, .NAME, *.NAME, ADDRESS, ADDRESS/BITS or *",
                    shown(entry)
                )
            })
            .collect()
    }

    /// Parses the exceptions, which commas or spaces separate. `Err` is the text of one that is not valid.
    fn exceptions(&self) -> impl Iterator<Item = Result<NoProxyEntry, &str>> {
        let text = self.except.as_ref().map(|(_, text)| text.as_str()).unwrap_or_default();
        let entries = text.split(|character: char| character == ',' || character.is_whitespace());
        entries.filter(|entry| !entry.is_empty()).map(|entry| NoProxyEntry::read(entry).ok_or(entry))
    }
}

/// A proxy that connects to any host (`CONNECT`).
#[derive(Debug)]
pub struct Tunnel(ParsedProxy);

impl Tunnel {
    /// Its name or address.
    pub fn host(&self) -> &str {
        self.0.proxy.host()
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.0.proxy.port()
    }

    /// The user and the password, as the word after `Basic`.
    pub fn authorization(&self) -> Option<Secret> {
        let user = self.0.proxy.username()?;
        let both = format!("{user}:{}", self.0.proxy.password().unwrap_or_default());
        Secret::new(&STANDARD.encode(both)).ok()
    }

    /// Whether a host, with its port where that is known, is reached through it.
    pub fn is_for(&self, host: &str, port: Option<u16>) -> bool {
        let place = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Endpoint::new(Scheme::Https, &place).is_none_or(|target| self.0.is_for(&target))
    }
}

/// One entry of `NO_PROXY`, read as curl and most others read it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoProxyEntry {
    host: NoProxyHosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum NoProxyHosts {
    All,
    /// A name and all names below it.
    Domain(String),
    /// All names below a name.
    Below(String),
    /// The addresses whose first bits, as many as the number, are equal to those of this one.
    Network(IpAddr, u8),
}

impl NoProxyEntry {
    fn read(entry: &str) -> Option<Self> {
        if let Some((address, bits)) = entry.split_once('/') {
            let address: IpAddr = unbracketed(address).parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self { host: NoProxyHosts::Network(address, bits), port: None });
        }
        if let Ok(address) = unbracketed(entry).parse::<IpAddr>() {
            return Some(Self { host: NoProxyHosts::Network(address, width(address)), port: None });
        }
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok()?)),
            None => (entry, None),
        };
        if let Ok(address) = unbracketed(host).parse::<IpAddr>() {
            return Some(Self { host: NoProxyHosts::Network(address, width(address)), port });
        }
        let host = host.to_ascii_lowercase();
        let host = match host.strip_prefix("*.") {
            _ if host == "*" => NoProxyHosts::All,
            Some(name) => NoProxyHosts::Below(name_of(name)?),
            None => NoProxyHosts::Domain(name_of(host.strip_prefix('.').unwrap_or(&host))?),
        };
        Some(Self { host, port })
    }

    fn covers(&self, target: &Endpoint) -> bool {
        if self.port.is_some_and(|port| port != target.port()) {
            return false;
        }
        let host = target.host().trim_end_matches('.');
        let below = |name: &str| host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
        match &self.host {
            NoProxyHosts::All => true,
            NoProxyHosts::Domain(name) => host == name || below(name),
            NoProxyHosts::Below(name) => below(name),
            NoProxyHosts::Network(network, bits) => {
                unbracketed(host).parse().is_ok_and(|address| shares(*network, address, *bits))
            }
        }
    }
}

/// Returns a host name; `None` when it is not valid. A name of only digits and dots is an incomplete address.
fn name_of(text: &str) -> Option<String> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let labels = name.split('.').all(|label| !label.is_empty());
    let known = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let named = name.bytes().any(|byte| byte.is_ascii_alphabetic());
    (labels && known && named).then(|| name.to_owned())
}

fn unbracketed(text: &str) -> &str {
    text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text)
}

const fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// Whether two addresses are of the same kind and have the same first `bits`.
fn shares(network: IpAddr, address: IpAddr, bits: u8) -> bool {
    let (left, right) = match (network, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits()) << 96, u128::from(address.to_bits()) << 96)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits()),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    (left ^ right).leading_zeros() >= u32::from(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, except: &str) -> ProxySettings {
        ProxySettings { url: Some(("HTTPS_PROXY", url.to_owned())), except: Some(("NO_PROXY", except.to_owned())) }
    }

    #[test]
    fn exceptions_are_read_as_companies_write_them() {
        let cases = [
            ("r.example", "", true),
            ("r.example:8443", "other.example", true),
            ("r.example", "r.example", false),
            ("r.example", "R.Example.", false),
            ("registry.corp.example", "corp.example", false),
            ("registry.corp.example", ".corp.example", false),
            ("registry.corp.example", "*.corp.example", false),
            ("corp.example", ".corp.example", false),
            ("corp.example", "*.corp.example", true),
            ("notcorp.example", "corp.example", true),
            ("corp.example.evil.example", "corp.example", true),
            ("a.r.example", "x, .r.example", false),
            ("a.r.example", "x .r.example\ty", false),
            ("r.example", "*", false),
            ("r.example", "x,*", false),
            ("r.example:8443", "r.example:8443", false),
            ("r.example", "r.example:8443", true),
            ("a.r.example:8443", "r.example:8443", false),
            ("10.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.9.9.9/8", false),
            ("11.1.2.3", "10.0.0.0/8", true),
            ("10.1.2.3", "10.1.2.3", false),
            ("10.1.2.3:8443", "10.1.2.3:8443", false),
            ("10.1.2.3", "10.1.2.3:8443", true),
            ("10.1.2.33", "10.1.2.3", true),
            ("192.168.7.1", "192.168.0.0/21", false),
            ("192.168.8.1", "192.168.0.0/21", true),
            ("8.8.8.8", "0.0.0.0/0", false),
            ("r.example", "0.0.0.0/0", true),
            ("[fd00::1]", "fd00::/8", false),
            ("[fd00::1]", "[fd00::]/8", false),
            ("[fe00::1]", "fd00::/8", true),
            ("[fd00::1]", "fd00::1", false),
            ("[fd00::1]:8443", "[fd00::1]", false),
            ("[fd00::1]:8443", "[fd00::1]:8443", false),
            ("[fd00::1]", "[fd00::1]:8443", true),
            ("[fd00::1]", "0.0.0.0/0", true),
        ];
        for (target, except, proxied) in cases {
            let known = settings("http://user:pw@proxy.example:3128", except).parse().unwrap().unwrap();
            let target = Endpoint::new(Scheme::Https, target).unwrap();
            assert_eq!(known.is_for(&target), proxied, "{target} but for `{except}`");
            assert_eq!(settings("http://p", except).remarks(), [""; 0], "{except}");
        }
    }

    #[test]
    fn an_exception_that_excepts_nothing_is_named() {
        for entry in [
            "10.0.0.0/33",
            "fd00::/129",
            "10.0.0.0/x",
            "10.*",
            "192.168.",
            "10.0.0",
            "https://r.example",
            "r.example:x",
            "r.example:99999",
            "*corp.example",
            "<local>",
            "a..b",
            "corp.example/8",
            "münchen.example",
            "\"r.example\"",
        ] {
            let remarks = settings("http://proxy.example", &format!("ok.example,{entry}")).remarks();
            let [remark] = remarks.as_slice() else { panic!("{entry}: {remarks:?}") };
            assert!(remark.starts_with(&format!("NO_PROXY has `{entry}`, which is no host")), "{remark}");
        }
        let unused = ProxySettings { url: None, ..settings("", "10.*") };
        assert_eq!(unused.remarks(), [""; 0]);
    }

    #[test]
    fn a_proxy_that_is_not_understood_is_never_left_out() {
        for url in ["socks5://proxy.example", "ftp://proxy.example", "http://", "http://pro xy", "http://proxy:99999"] {
            let problem = settings(url, "").parse().unwrap_err();
            assert_eq!(problem, HttpProblem::Proxy { variable: "HTTPS_PROXY" }, "{url}");
        }
        for (url, place) in [
            ("http://proxy.example:3128", "proxy.example:3128"),
            ("https://proxy.example", "proxy.example:443"),
            ("proxy.example:3128", "proxy.example:3128"),
            ("http://u:p%40@proxy.example", "proxy.example:80"),
        ] {
            let known = settings(url, "").parse().unwrap().unwrap();
            assert_eq!(known.via.to_string(), format!("through the proxy {place} of HTTPS_PROXY"), "{url}");
        }
    }

    #[test]
    fn nothing_prints_the_proxys_password() {
        let settings = settings("http://user:hunter2@proxy.example", "");
        let known = settings.parse().unwrap().unwrap();
        assert!(!format!("{settings:?} {known:?} {}", known.via).contains("hunter2"));
    }
}
