//! Finds the addresses of a name, by the rules of the system.
//!
//! Which services know names is configured (`/etc/nsswitch.conf`): files, DNS, systemd-resolved, mDNS, a company's
//! directory. The C library opens a shared library for each; a program that is linked without shared libraries, as smcp is
//! (docs/decisions/0046), can't rely on that. `getent` comes with the C library, asks the same services as every other
//! program, and can be stopped at a deadline.

use std::fmt;
use std::io;
use std::io::Read as _;
use std::net::IpAddr;
use std::net::SocketAddr;
use std::net::ToSocketAddrs as _;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::resolver::Resolver;
use ureq::unversioned::transport::NextTimeout;

use smcp_model::limits;

/// The program that asks the system's services. By its path: `PATH` is the user's, and means servers.
const GETENT: &str = "/usr/bin/getent";

/// The most addresses of one name that are used; ureq keeps no more.
const MOST: usize = 16;

/// The services of the system that know names.
pub(crate) struct SystemNames {
    getent: &'static str,
    /// For addresses that are no names, and where there is no `getent`.
    library: DefaultResolver,
}

impl Default for SystemNames {
    fn default() -> Self {
        Self { getent: GETENT, library: DefaultResolver::default() }
    }
}

impl Resolver for SystemNames {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let Some((host, port)) = name_of(uri) else { return self.library.resolve(uri, config, timeout) };
        let child = match ask(self.getent, host) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.library.resolve(uri, config, timeout),
            asked => asked?,
        };
        let answer = answer_of(child, timeout)?;
        let mut found = self.empty();
        addresses(&answer).into_iter().take(MOST).for_each(|address| found.push(SocketAddr::new(address, port)));
        if found.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(found) }
    }
}

impl fmt::Debug for SystemNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemNames").field("getent", &self.getent).finish_non_exhaustive()
    }
}

/// The name in a URL, and the port; `None` when it has an address in place of a name, or no port is known.
fn name_of(uri: &Uri) -> Option<(&str, u16)> {
    let (scheme, authority) = (uri.scheme()?, uri.authority()?);
    let host = authority.host();
    let is_address = host.starts_with('[') || host.parse::<IpAddr>().is_ok();
    let port = DefaultResolver::host_and_port(scheme, authority)?.rsplit(':').next()?.parse().ok()?;
    (!is_address).then_some((host, port))
}

/// Finds the addresses of a name, in the order in which they are to be tried; none when no service of the system knows it.
///
/// # Errors
/// When no service could be asked, or none answered in time.
pub fn system_addresses(name: &str, within: Duration) -> io::Result<Vec<IpAddr>> {
    let timeout = NextTimeout { after: within.into(), reason: ureq::Timeout::Resolve, ..NextTimeout::default() };
    match ask(GETENT, name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let found = (name, 0).to_socket_addrs();
            found.map(|found| found.map(|address| address.ip()).collect())
        }
        asked => Ok(addresses(&answer_of(asked?, timeout).map_err(|error| error.into_io())?)),
    }
}

#[expect(clippy::disallowed_methods, reason = "a program of the C library, and nothing of a package")]
fn ask(getent: &str, host: &str) -> io::Result<Child> {
    let mut command = Command::new(getent);
    command.args(["ahosts", "--", host]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn()
}

/// Waits for what the child prints; ends it when the time is over. It is empty when the name is not known.
fn answer_of(mut child: Child, timeout: NextTimeout) -> Result<String, ureq::Error> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let stdout = child.stdout.take();
    thread::spawn(move || {
        let mut answer = String::new();
        let read = stdout.map(|stdout| stdout.take(limits::http::NAME_ANSWER).read_to_string(&mut answer));
        // The receiver may have given up.
        let _ = sender.send(read.transpose().map(|_| answer));
    });
    let received = match timeout.after.is_not_happening() {
        true => receiver.recv().ok(),
        false => receiver.recv_timeout(*timeout.after).ok(),
    };
    let Some(answer) = received else {
        child.kill()?;
        child.wait()?;
        return Err(ureq::Error::Timeout(timeout.reason));
    };
    // Waited for in any case, or it would be left behind as long as smcp runs.
    let status = child.wait()?;
    let answer = answer?;
    if status.success() { Ok(answer) } else { not_known(status) }
}

/// `getent` exits 2 when no service knows the name, and when none can be asked.
fn not_known(status: ExitStatus) -> Result<String, ureq::Error> {
    match status.code() {
        Some(2) => Ok(String::new()),
        _ => Err(ureq::Error::Io(io::Error::other(format!("the program {GETENT} failed: {status}")))),
    }
}

/// The addresses in what `getent ahosts` prints, in its order: that in which they are to be tried.
fn addresses(answer: &str) -> Vec<IpAddr> {
    let streams = answer.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next()?.parse().ok()?;
        (words.next()? == "STREAM").then_some(address)
    });
    streams.collect()
}

#[cfg(test)]
mod tests {
    use ureq::unversioned::transport;

    use super::*;

    fn resolve(getent: &'static str, url: &str, patience: Option<Duration>) -> Result<Vec<String>, ureq::Error> {
        let names = SystemNames { getent, ..SystemNames::default() };
        let after = patience.map_or(transport::time::Duration::NotHappening, Into::into);
        let timeout = NextTimeout { after, reason: ureq::Timeout::Resolve, ..NextTimeout::default() };
        let found = names.resolve(&url.parse().unwrap(), &Config::default(), timeout)?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_addresses_of_streams_are_taken_in_their_order() {
        let answer = "2001:db8::1     STREAM r.example\n2001:db8::1     DGRAM  \n192.0.2.7       STREAM \n\
                      192.0.2.7       RAW    \nfe80::1%lo  STREAM\nnonsense\n\n";
        let expected: [IpAddr; 2] = ["2001:db8::1".parse().unwrap(), "192.0.2.7".parse().unwrap()];
        assert_eq!(addresses(answer), expected);
    }

    #[test]
    fn the_name_and_the_port_of_a_url() {
        let cases = [
            ("https://r.example", Some(("r.example", 443))),
            ("http://r.example/x", Some(("r.example", 80))),
            ("http://localhost:8080", Some(("localhost", 8080))),
            ("https://192.0.2.7", None),
            ("https://[2001:db8::1]:8443", None),
        ];
        for (url, expected) in cases {
            assert_eq!(name_of(&url.parse().unwrap()), expected, "{url}");
        }
    }

    /// `/etc/hosts` has it, without any network.
    #[test]
    fn a_name_of_the_system_is_found_with_and_without_the_program() {
        for getent in [GETENT, "/nonexistent/getent"] {
            let found = resolve(getent, "http://localhost:8080", Some(Duration::from_secs(60))).unwrap();
            assert!(found.iter().any(|it| it == "127.0.0.1:8080" || it == "[::1]:8080"), "{getent}: {found:?}");
        }
    }

    #[test]
    fn what_no_service_knows_is_not_found() {
        // `.invalid` is nobody's (RFC 6761), and the second one would be an option.
        for url in ["https://nosuch.invalid", "https://-s"] {
            let error = resolve(GETENT, url, None).unwrap_err();
            assert!(matches!(error, ureq::Error::HostNotFound), "{url}: {error}");
        }
    }

    /// It hangs, prints without an end, prints no text, or fails.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a shell writes the program of a test")]
    fn a_program_that_does_not_answer_is_an_error() {
        let is_io = |error: &ureq::Error| matches!(error, ureq::Error::Io(_));
        let is_timeout = |error: &ureq::Error| matches!(error, ureq::Error::Timeout(ureq::Timeout::Resolve));
        type Kind<'a> = &'a dyn Fn(&ureq::Error) -> bool;
        let cases: [(&str, Duration, Kind<'_>); 4] = [
            ("exec sleep 600", Duration::from_millis(20), &is_timeout),
            ("exec yes", Duration::from_secs(60), &is_io),
            ("printf '\\377'", Duration::from_secs(60), &is_io),
            ("exit 3", Duration::from_secs(60), &is_io),
        ];
        for (script, patience, expected) in cases {
            let folder = tempfile::tempdir().unwrap();
            let program = folder.path().join("getent");
            // By another process: a file that this one has open for writing can't be run by its other tests' children.
            let write = "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$0\" && chmod +x \"$0\"";
            assert!(Command::new("sh").args(["-c", write]).arg(&program).arg(script).status().unwrap().success());
            let program = program.to_str().unwrap().to_owned().leak();
            let error = resolve(program, "https://r.example", Some(patience)).unwrap_err();
            assert!(expected(&error), "{script}: {error}");
        }
    }
}
