//! Answers questions for names: with an address that stands for the name.

use std::collections::BTreeMap;
use std::io;
use std::io::IoSlice;
use std::io::IoSliceMut;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use nix::cmsg_space;
use nix::libc;
use nix::sys::socket::ControlMessage;
use nix::sys::socket::ControlMessageOwned;
use nix::sys::socket::MsgFlags;
use nix::sys::socket::SockaddrStorage;
use nix::sys::socket::recvmsg;
use nix::sys::socket::sendmsg;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::message::ADDRESS;
use crate::message::NEW_ADDRESS;
use crate::message::NameOutcome;
use crate::message::NameQuestion;
use crate::reach::Reachable;
use crate::reach::Unreachable;
use crate::service::start;
use smcp_model::limits;

/// The network of the addresses that stand for names: that for measuring networks, which nobody has (RFC 2544).
const NETWORK: u32 = Ipv4Addr::new(198, 18, 0, 0).to_bits();

/// Names, and the addresses that stand for them.
#[derive(Debug, Default)]
pub(crate) struct StandIns {
    numbers: BTreeMap<String, u64>,
    names: Vec<String>,
}

impl StandIns {
    /// The address that stands for a name from now on; `None` when there are too many names.
    pub(crate) fn address_of(&mut self, name: &str) -> Option<Ipv4Addr> {
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None if self.names.len() >= limits::outbound::NAMES => return None,
            None => {
                self.names.push(name.to_owned());
                let number = u64::try_from(self.names.len()).ok()?;
                self.numbers.insert(name.to_owned(), number);
                number
            }
        };
        Some(Ipv4Addr::from_bits(NETWORK + u32::try_from(number).ok()?))
    }

    /// The name that an address stands for.
    pub(crate) fn name_of(&self, address: Ipv4Addr) -> Option<&str> {
        let number = usize::try_from(address.to_bits().checked_sub(NETWORK)?).ok()?;
        self.names.get(number.checked_sub(1)?).map(String::as_str)
    }
}

/// Answers one message; `None` for what gets no answer.
async fn answer(reachable: &Reachable, message: &[u8]) -> Option<Vec<u8>> {
    let question = match NameQuestion::read(message) {
        Ok(question) => question,
        Err(answer) => return answer,
    };
    let outcome = match &question.name {
        None => NameOutcome::NoSuchName,
        Some(name) => match reachable.find(name, None).await {
            // Addresses of the new kind are not needed: whoever asks for both connects to the old one.
            Ok(_) if question.kind == ADDRESS => match reachable.stand_in(name) {
                Some(address) => NameOutcome::Address(address),
                None => NameOutcome::Failed,
            },
            Ok(_) => NameOutcome::Nothing,
            // The system's answer to whoever asks for the wrong name of the right host.
            Err(Unreachable::Unknown) => NameOutcome::NoSuchName,
            Err(Unreachable::Failed(error)) => {
                tracing::debug!(%error, name, "a name could not be looked up");
                NameOutcome::Failed
            }
            Err(refusal @ (Unreachable::NotNamed | Unreachable::Inner(_))) => {
                // Most clients ask for both kinds of address, which is one refusal.
                if question.kind == NEW_ADDRESS {
                    reachable.deny_beside(name, &refusal);
                } else {
                    reachable.deny(name, None, &refusal);
                }
                NameOutcome::NoSuchName
            }
        },
    };
    Some(question.answer(outcome))
}

/// Who asked, and the address that was asked.
struct NameAsker {
    by: SockaddrStorage,
    at: Option<AskedAddress>,
}

enum AskedAddress {
    Four(libc::in_pktinfo),
    Six(libc::in6_pktinfo),
}

/// Answers the datagrams of a socket for ever.
pub(crate) async fn answer_datagrams(socket: UdpSocket, reachable: Arc<Reachable>) {
    let socket = Arc::new(socket);
    let permits = Arc::new(Semaphore::new(limits::outbound::QUESTIONS));
    let mut buffer = [0; limits::outbound::QUESTION];
    loop {
        let received = socket.async_io(Interest::READABLE, || receive(&socket, &mut buffer)).await;
        let Ok((length, asked)) = received else {
            tokio::time::sleep(limits::outbound::ACCEPT_PAUSE).await;
            continue;
        };
        // Whoever gets no answer asks again.
        let Ok(permit) = Arc::clone(&permits).try_acquire_owned() else { continue };
        let message = buffer.get(..length).unwrap_or_default().to_vec();
        let (socket, reachable) = (Arc::clone(&socket), Arc::clone(&reachable));
        start(Box::pin(async move {
            if let Some(answer) = answer(&reachable, &message).await {
                let sent = socket.async_io(Interest::WRITABLE, || send(&socket, &answer, &asked)).await;
                if let Err(error) = sent {
                    tracing::debug!(%error, "an answer about a name was not sent");
                }
            }
            drop(permit);
        }));
    }
}

fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(usize, NameAsker)> {
    let mut control = cmsg_space!(libc::in_pktinfo, libc::in6_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let received =
        recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::MSG_DONTWAIT)?;
    let mut at = None;
    for message in received.cmsgs()? {
        // A socket for both kinds of address says both.
        if let ControlMessageOwned::Ipv6PacketInfo(info) = message {
            at = Some(AskedAddress::Six(info));
        } else if let (ControlMessageOwned::Ipv4PacketInfo(info), None) = (message, &at) {
            at = Some(AskedAddress::Four(info));
        }
    }
    let by = received.address.ok_or(io::ErrorKind::AddrNotAvailable)?;
    Ok((received.bytes, NameAsker { by, at }))
}

/// Sends an answer from the address that was asked, since nobody takes one from another.
fn send(socket: &UdpSocket, answer: &[u8], asked: &NameAsker) -> io::Result<usize> {
    let (four, six);
    let from = match &asked.at {
        None => None,
        Some(AskedAddress::Four(info)) => {
            four = libc::in_pktinfo { ipi_ifindex: 0, ipi_spec_dst: info.ipi_addr, ipi_addr: info.ipi_addr };
            Some(ControlMessage::Ipv4PacketInfo(&four))
        }
        Some(AskedAddress::Six(info)) => {
            six = libc::in6_pktinfo { ipi6_addr: info.ipi6_addr, ipi6_ifindex: 0 };
            Some(ControlMessage::Ipv6PacketInfo(&six))
        }
    };
    let parts = [IoSlice::new(answer)];
    Ok(sendmsg(socket.as_raw_fd(), &parts, from.as_slice(), MsgFlags::MSG_DONTWAIT, Some(&asked.by))?)
}

/// Answers the questions on a connection until its end, or until none comes for a while.
pub(crate) async fn answer_stream(mut stream: TcpStream, reachable: &Reachable) -> io::Result<()> {
    loop {
        let question = timeout(limits::outbound::QUESTION_TIME, async {
            let length = usize::from(stream.read_u16().await?);
            if length > limits::outbound::QUESTION {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut question = vec![0; length];
            stream.read_exact(&mut question).await?;
            io::Result::Ok(question)
        });
        let Some(answer) = answer(reachable, &question.await??).await else { return Ok(()) };
        let length = u16::try_from(answer.len()).unwrap_or_default();
        stream.write_all(&[length.to_be_bytes().as_slice(), &answer].concat()).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_for_one_name() {
        let mut names = StandIns::default();
        let first = names.address_of("a.example").unwrap();
        let second = names.address_of("b.example").unwrap();
        assert_eq!(names.address_of("a.example"), Some(first));
        assert_eq!((first.to_string(), second.to_string()), ("198.18.0.1".to_owned(), "198.18.0.2".to_owned()));
        assert_eq!((names.name_of(first), names.name_of(second)), (Some("a.example"), Some("b.example")));
        for other in ["198.18.0.0", "198.18.0.3", "198.19.255.255", "10.0.0.1", "255.255.255.255", "0.0.0.0"] {
            assert_eq!(names.name_of(other.parse().unwrap()), None, "{other}");
        }
    }

    #[test]
    fn names_are_bounded() {
        let mut names = StandIns::default();
        for number in 0..limits::outbound::NAMES {
            assert!(names.address_of(&number.to_string()).is_some());
        }
        assert_eq!(names.address_of("one more"), None);
        assert!(names.address_of("0").is_some());
    }
}
