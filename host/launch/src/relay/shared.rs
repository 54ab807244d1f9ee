//! State that both directions and the supervisor share.

use std::io;
use std::io::PipeReader;
use std::io::PipeWriter;
use std::io::Read as _;
use std::io::Write as _;
use std::io::pipe;
use std::os::fd::AsFd as _;
use std::os::fd::BorrowedFd;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use crate::proxy::Proxy;
use crate::relay::descriptor::set_nonblocking;
use smcp_model::warning::Delivery;

/// Held by both threads and by the supervisor.
#[derive(Debug)]
pub(super) struct Shared {
    proxy: Mutex<Proxy>,
    bell: Bell,
    server_ended: AtomicBool,
    delivered: AtomicBool,
}

impl Shared {
    pub(super) fn new(proxy: Proxy) -> io::Result<Self> {
        let server_ended = AtomicBool::new(false);
        Ok(Self { proxy: Mutex::new(proxy), bell: Bell::new()?, server_ended, delivered: AtomicBool::new(false) })
    }

    /// Locks the proxy, to show it some bytes. The lock must not be held while reading or writing.
    pub(super) fn proxy(&self) -> io::Result<MutexGuard<'_, Proxy>> {
        self.proxy.lock().map_err(|_| io::Error::other("the warning can't be delivered, by a defect of smcp"))
    }

    /// Wakes the direction to the client while it waits for the server.
    pub(super) fn ring(&self) {
        self.bell.ring();
    }

    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.read.as_fd()
    }

    pub(super) fn silence(&self) {
        self.bell.silence();
    }

    /// Notes that the server and its group have ended: its pipe now holds the rest of its output.
    pub(super) fn end_of_server(&self) {
        self.server_ended.store(true, Ordering::SeqCst);
        self.ring();
    }

    pub(super) fn server_has_ended(&self) -> bool {
        self.server_ended.load(Ordering::SeqCst)
    }

    /// Notes what the proxy said of the warning, once the client has got everything that the proxy had let out by then.
    pub(super) fn given(&self, delivery: Delivery) {
        if delivery == Delivery::Delivered {
            self.delivered.store(true, Ordering::SeqCst);
        }
    }

    pub(super) fn delivery(&self) -> Delivery {
        if self.delivered.load(Ordering::SeqCst) { Delivery::Delivered } else { Delivery::Undelivered }
    }
}

/// A pipe that wakes a waiting thread. Ringing it never blocks, and ringing it twice is the same as once.
#[derive(Debug)]
struct Bell {
    read: PipeReader,
    write: PipeWriter,
}

impl Bell {
    fn new() -> io::Result<Self> {
        let (read, write) = pipe()?;
        set_nonblocking(&read)?;
        set_nonblocking(&write)?;
        Ok(Self { read, write })
    }

    fn ring(&self) {
        // A full pipe has been rung already.
        let _ = (&self.write).write(&[1]);
    }

    fn silence(&self) {
        while matches!((&self.read).read(&mut [0; 64]), Ok(1..)) {}
    }
}
