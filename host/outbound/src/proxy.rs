//! An HTTP proxy, for programs that use one: `CONNECT`, and `http` URLs.

use std::io;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connection::join;
use crate::connection::read_head;
use crate::connection::say_last;
use crate::dial::dial;
use crate::reach::Reachable;
use crate::reach::Unreachable;
use smcp_model::endpoint::Endpoint;
use smcp_model::endpoint::Scheme;
use smcp_model::limits;

/// Headers that are between the client and its proxy.
const BETWEEN: [&str; 8] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
];

/// What a client asks the proxy for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProxyTarget {
    host: String,
    port: u16,
    /// What the host is sent first, for a URL; `None` for a tunnel.
    head: Option<Vec<u8>>,
}

/// Why a request is not followed: the status, and a sentence.
pub(crate) type UnfitRequest = (u16, &'static str);

/// Serves one connection.
pub(crate) async fn serve(mut stream: TcpStream, reachable: &Reachable) -> io::Result<()> {
    let read = timeout(limits::outbound::HEAD_TIME, read_head(&mut stream)).await;
    let (head, behind) = match read {
        Ok(Ok(read)) => read,
        Ok(Err(error)) if error.kind() == io::ErrorKind::FileTooLarge => {
            return refuse(stream, 431, "the head of the request is too long").await;
        }
        Ok(Err(error)) => return Err(error),
        Err(_) => return refuse(stream, 408, "the request took too long").await,
    };
    let ProxyTarget { host, port, head } = match read_request(&head) {
        Ok(asked) => asked,
        Err((status, why)) => return refuse(stream, status, why).await,
    };
    match dial(reachable, &host, port).await {
        Ok(mut connected) => {
            let first = match head {
                Some(head) => [head, behind].concat(),
                None => {
                    let begun = std::mem::take(&mut connected.begun);
                    connected.begun = [b"HTTP/1.1 200 Connection established\r\n\r\n".to_vec(), begun].concat();
                    behind
                }
            };
            let _ = stream.set_nodelay(true);
            join(stream, connected, &first).await
        }
        Err(refusal) => {
            reachable.deny(&host, Some(port), &refusal);
            let status = match refusal {
                Unreachable::NotNamed | Unreachable::Inner(_) => 403,
                Unreachable::Unknown | Unreachable::Failed(_) => 502,
            };
            refuse(stream, status, &format!("{host}:{port} is not reached: {refusal}")).await
        }
    }
}

async fn refuse(stream: TcpStream, status: u16, why: &str) -> io::Result<()> {
    let reason = match status {
        403 => "Forbidden",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        _ => "Bad Request",
    };
    let body = format!("smcp: {why}\n");
    let answer = format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: \
         close\r\n\r\n{body}",
        body.len()
    );
    say_last(stream, answer.as_bytes()).await
}

/// Reads the head of a request.
pub(crate) fn read_request(head: &[u8]) -> Result<ProxyTarget, UnfitRequest> {
    let mut headers = [httparse::EMPTY_HEADER; limits::outbound::HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let whole = request.parse(head).is_ok_and(|parsed| parsed.is_complete());
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version.filter(|_| whole))
    else {
        return Err((400, "this is no request of HTTP/1"));
    };
    if method == "CONNECT" {
        let place = Endpoint::new(Scheme::Https, target).ok_or((400, "CONNECT takes HOST:PORT"))?;
        return Ok(ProxyTarget { host: place.host().to_owned(), port: place.port(), head: None });
    }
    let scheme = |name: &str| target.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
    if scheme("https://") {
        return Err((501, "a URL with https needs CONNECT, so that nobody but its host reads the request"));
    }
    if !scheme("http://") {
        return Err((400, "this is a proxy: a request has a whole URL with http, or is CONNECT"));
    }
    let rest = target.get("http://".len()..).unwrap_or_default();
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let place = Endpoint::new(Scheme::Http, authority).ok_or((400, "the URL has no host that can be read"))?;
    let mut head =
        format!("{method} {}{path} HTTP/1.{minor}\r\n", if path.starts_with('/') { "" } else { "/" }).into_bytes();
    let port = if place.port() == Scheme::Http.default_port() { String::new() } else { format!(":{}", place.port()) };
    head.extend_from_slice(format!("Host: {}{port}\r\nConnection: close\r\n", place.host()).as_bytes());
    for header in request.headers.iter() {
        if !BETWEEN.iter().any(|name| header.name.eq_ignore_ascii_case(name)) {
            head.extend_from_slice(&[header.name.as_bytes(), b": ", header.value, b"\r\n"].concat());
        }
    }
    head.extend_from_slice(b"\r\n");
    Ok(ProxyTarget { host: place.host().to_owned(), port: place.port(), head: Some(head) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(head: &str) -> Result<(String, u16, Option<String>), u16> {
        let asked = read_request(head.as_bytes()).map_err(|(status, _)| status)?;
        Ok((asked.host, asked.port, asked.head.map(|head| String::from_utf8(head).unwrap())))
    }

    #[test]
    fn a_tunnel_is_to_one_place() {
        // As Python's library before 3.12 asks for one.
        assert_eq!(read("CONNECT a.example:443 HTTP/1.0\r\n\r\n"), Ok(("a.example".to_owned(), 443, None)));
        let to = |host: &str, port| Ok((host.to_owned(), port, None));
        assert_eq!(
            read("CONNECT api.example.com:443 HTTP/1.1\r\nHost: other.example\r\n\r\n"),
            to("api.example.com", 443)
        );
        assert_eq!(read("CONNECT [2001:DB8::1]:8443 HTTP/1.1\r\n\r\n"), to("[2001:db8::1]", 8443));
        for target in [
            "http://a.example:443/",
            "user@a.example:443",
            "a.example:0x1bb",
            "a.example:99999",
            "a b:443",
            ":443",
            "/",
        ] {
            assert_eq!(read(&format!("CONNECT {target} HTTP/1.1\r\n\r\n")).map(|_| ()), Err(400), "{target}");
        }
    }

    #[test]
    fn a_url_becomes_a_path_at_its_host() {
        let (host, port, head) =
            read("GET http://A.example:8080/x?y HTTP/1.1\r\nhost: b.example\r\nProxy-Authorization: s\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n")
                .unwrap();
        assert_eq!((host.as_str(), port), ("a.example", 8080));
        let expected = "GET /x?y HTTP/1.1\r\nHost: a.example:8080\r\nConnection: close\r\nAccept: */*\r\n\r\n";
        assert_eq!(head.as_deref(), Some(expected));
        let (_, port, head) = read("GET http://a.example?y HTTP/1.0\r\n\r\n").unwrap();
        assert_eq!(
            (port, head.as_deref()),
            (80, Some("GET /?y HTTP/1.0\r\nHost: a.example\r\nConnection: close\r\n\r\n"))
        );
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        for (head, status) in [
            ("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", 400),
            ("GET https://a.example/ HTTP/1.1\r\n\r\n", 501),
            ("GET ftp://a.example/ HTTP/1.1\r\n\r\n", 400),
            ("GET http://user:pw@a.example/ HTTP/1.1\r\n\r\n", 400),
            ("GET http:///a.example/ HTTP/1.1\r\n\r\n", 400),
            ("GET http://a.example\\@b.example/ HTTP/1.1\r\n\r\n", 400),
            ("GET http://a.example/ HTTP/2.0\r\n\r\n", 400),
            ("GET http://a.example/\u{0} HTTP/1.1\r\n\r\n", 400),
            ("GET http://a.example/ HTTP/1.1\r\nA : b\r\n\r\n", 400),
            ("GET http://a.example/ HTTP/1.1\r\n folded\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\n", 400),
            ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
        ] {
            assert_eq!(read(head).map(|_| ()), Err(status), "{head:?}");
        }
    }
}
