//! What connections have in common: heads, both ways, and abrupt ends.

use std::io;

use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::dial::Connected;
use smcp_model::limits;

/// Reads up to the empty line after a head; returns the head, and what came behind it.
pub(crate) async fn read_head(stream: &mut TcpStream) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let mut head = Vec::new();
    loop {
        let looked_at = head.len();
        if stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // The end of the line may have begun before.
        let from = looked_at.saturating_sub(3);
        let end = head.get(from..).and_then(|new| new.windows(4).position(|four| four == b"\r\n\r\n"));
        if let Some(end) = end {
            let behind = head.split_off(from + end + 4);
            return Ok((head, behind));
        }
        if head.len() > limits::outbound::HEAD {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
    }
}

/// Moves bytes both ways until both sides have ended. Each end is passed on by itself.
pub(crate) async fn join(mut server: TcpStream, host: Connected, first: &[u8]) -> io::Result<()> {
    let Connected { mut stream, begun } = host;
    stream.write_all(first).await?;
    server.write_all(&begun).await?;
    tokio::io::copy_bidirectional(&mut server, &mut stream).await.map(drop)
}

/// Ends a connection so that the other side gets an error, and not an empty answer.
pub(crate) fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
    drop(stream);
}

/// Says the last word of a connection, and waits until it was read.
pub(crate) async fn say_last(mut stream: TcpStream, words: &[u8]) -> io::Result<()> {
    stream.write_all(words).await?;
    stream.shutdown().await?;
    let mut rest = vec![0; 8 * 1024];
    let read = async { while stream.read(&mut rest).await.is_ok_and(|length| length > 0) {} };
    // What is not read would take the last word back.
    let _ = timeout(limits::outbound::LINGER, read).await;
    Ok(())
}
