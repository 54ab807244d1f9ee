//! Hosts as manifests list them, in `network.outbound`.

use std::net::IpAddr;

/// The ports of a host that is listed without one.
pub const USUAL_PORTS: [u16; 2] = [80, 443];
/// The name of this machine.
pub const LOCALHOST: &str = "localhost";

/// An address as a list has it: one of the new kind in brackets.
pub fn literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(four) => four.to_string(),
        IpAddr::V6(six) => format!("[{six}]"),
    }
}

/// The entry for a host at a port. The host is a name, or an address as [`literal`] has it.
pub fn host_entry(host: &str, port: u16) -> String {
    if USUAL_PORTS.contains(&port) { host.to_owned() } else { format!("{host}:{port}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usual_port_is_not_said() {
        for (address, port, entry) in [
            ("192.0.2.1", 443, "192.0.2.1"),
            ("192.0.2.1", 8443, "192.0.2.1:8443"),
            ("2001:db8::1", 80, "[2001:db8::1]"),
            ("2001:db8::1", 81, "[2001:db8::1]:81"),
            ("::ffff:192.0.2.1", 80, "192.0.2.1"),
        ] {
            assert_eq!(host_entry(&literal(address.parse().unwrap()), port), entry);
        }
    }
}
