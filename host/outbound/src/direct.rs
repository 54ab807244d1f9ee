//! Serves what connects to an address, as if smcp were not there.

use std::io;

use tokio::net::TcpStream;

use crate::connection::join;
use crate::connection::reset;
use crate::dial::dial;
use crate::names::answer_stream;
use crate::reach::Reachable;
use smcp_model::host_entry::literal;

/// Where servers of names listen.
const NAMES: u16 = 53;

/// Serves one connection: its own end of it is where the server meant to go.
pub(crate) async fn serve(stream: TcpStream, reachable: &Reachable) -> io::Result<()> {
    let meant = stream.local_addr()?;
    let (address, port) = (meant.ip().to_canonical(), meant.port());
    if port == NAMES {
        return answer_stream(stream, reachable).await;
    }
    let host = reachable.meant_by(address).unwrap_or_else(|| literal(address));
    match dial(reachable, &host, port).await {
        Ok(connected) => {
            let _ = stream.set_nodelay(true);
            join(stream, connected, &[]).await
        }
        Err(refusal) => {
            reachable.deny(&host, Some(port), &refusal);
            reset(stream);
            Ok(())
        }
    }
}
