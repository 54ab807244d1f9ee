//! Connects to a host outside: directly, or through the proxy above.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::net::SocketAddr;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::connection::read_head;
use crate::reach::HostRoute;
use crate::reach::Reachable;
use crate::reach::Unreachable;
use smcp_model::limits;
use smcp_model::secret::Secret;

/// Whether a host, with its port where that is known, is among some.
pub type Covers = dyn Fn(&str, Option<u16>) -> bool + Send + Sync;

/// A proxy above ours, such as a company's: the one that smcp itself uses.
pub struct Upstream {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// What it is shown in `Proxy-Authorization`, after the word `Basic`.
    pub authorization: Option<Secret>,
    /// Whether a host, with its port where that is known, is reached through it.
    pub covers: Box<Covers>,
}

impl Upstream {
    pub(crate) fn is_for(&self, host: &str, port: Option<u16>) -> bool {
        (self.covers)(host, port)
    }
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upstream").field("host", &self.host).field("port", &self.port).finish_non_exhaustive()
    }
}

/// A connection to a host, and what has come over it already.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) stream: TcpStream,
    pub(crate) begun: Vec<u8>,
}

/// Connects to a host that the manifest names.
pub(crate) async fn dial(reachable: &Reachable, host: &str, port: u16) -> Result<Connected, Unreachable> {
    let connect = async {
        let route = reachable.find(host, Some(port)).await?;
        reachable.note(host, port, &route);
        let connected = match route {
            HostRoute::Direct(addresses) => {
                let stream = connect(&addresses, port).await.map_err(Unreachable::Failed)?;
                Connected { stream, begun: Vec::new() }
            }
            HostRoute::Above => through(reachable, host, port).await.map_err(Unreachable::Failed)?,
        };
        // What is small is answered soon.
        let _ = connected.stream.set_nodelay(true);
        Ok(connected)
    };
    timeout(limits::outbound::CONNECT, connect)
        .await
        .unwrap_or(Err(Unreachable::Failed(io::ErrorKind::TimedOut.into())))
}

/// Connects to the first of the addresses that answers.
async fn connect(addresses: &[IpAddr], port: u16) -> io::Result<TcpStream> {
    let mut last = io::ErrorKind::AddrNotAvailable.into();
    for address in addresses {
        let tried = timeout(limits::outbound::CONNECT_ONE, TcpStream::connect(SocketAddr::new(*address, port)));
        match tried.await.unwrap_or(Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Connects to a host through the proxy above.
async fn through(reachable: &Reachable, host: &str, port: u16) -> io::Result<Connected> {
    let above = reachable.above().ok_or(io::ErrorKind::NotFound)?;
    let addresses = match crate::hosts::address_of(&above.host) {
        Some(address) => vec![address],
        None => reachable.addresses(&above.host).await?,
    };
    let mut stream = connect(&addresses, above.port).await?;
    let proof =
        above.authorization.as_ref().map(|secret| format!("Proxy-Authorization: Basic {}\r\n", secret.expose()));
    let request = format!(
        "CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{}\r\n",
        proof.as_deref().unwrap_or_default()
    );
    stream.write_all(request.as_bytes()).await?;
    let (head, begun) = read_head(&mut stream).await?;
    let mut headers = [httparse::EMPTY_HEADER; limits::outbound::HEADERS];
    let mut answer = httparse::Response::new(&mut headers);
    answer.parse(&head).map_err(io::Error::other)?;
    match answer.code {
        Some(200..=299) => Ok(Connected { stream, begun }),
        code => Err(io::Error::other(format!("the proxy {} answered {}", above.host, code.unwrap_or_default()))),
    }
}
