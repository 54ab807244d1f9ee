//! The state of a session: its open requests, and how far the warning has got.
//!
//! Messages of the client add requests, and answers of the server close them.

use std::collections::HashMap;
use std::collections::VecDeque;

use crate::proxy::scan::MessageFacts;
use crate::proxy::token::Id;
use crate::proxy::token::Method;
use smcp_model::limits;
use smcp_model::warning::Delivery;

/// A request without an answer so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenRequest {
    /// Its method.
    pub(crate) method: Method,
    /// It came in a batch, so this client reads batches.
    pub(crate) batched: bool,
    /// Its number among all requests.
    serial: u64,
}

/// The request that a message with some `id` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// A request whose answer has to carry the warning.
    Target(OpenRequest),
    /// Another request.
    Other,
    /// No request that we know of.
    Nobody,
}

/// A session between one client and one server.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(Clone, PartialEq))]
pub(crate) struct McpSession {
    open: HashMap<u64, OpenRequest>,
    /// The requests by age. Closed ones are removed later.
    ages: VecDeque<(u64, u64)>,
    serial: u64,
    /// The answer to a handshake or to a discovery has carried the block.
    block: bool,
    /// A list of tools has carried the short form.
    listed: bool,
    /// The result of a call has carried the short form.
    called: bool,
    /// An answer to this handshake carried the block, perhaps in a form that not every client reads.
    carried: bool,
    /// The handshake's answer is out, and the client has not confirmed it yet.
    awaiting: bool,
    /// The client has confirmed the handshake.
    initialized: bool,
    /// The handshake's answer carried the block and declared `logging`.
    logging: bool,
    /// The notification is out.
    notified: bool,
}

impl McpSession {
    /// Whether no answer has carried the warning yet in a form that stays with the model. Until then the server must
    /// not evade it.
    pub(crate) fn is_silent(&self) -> bool {
        !self.block && !self.listed
    }

    /// Whether answers without an open request are edited too, because the client may take them for one that it waits
    /// for.
    pub(crate) fn is_wary(&self) -> bool {
        self.is_silent() || self.awaiting
    }

    /// Whether no message that the server can send now concerns the warning.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_wary() && !self.open.values().any(|open| self.is_target(open.method)) && !self.is_notification_due()
    }

    /// Whether a request for the list of tools matters in a settled session.
    pub(crate) fn heeds_lists(&self) -> bool {
        !self.block
    }

    /// Whether the notification may go out at the next start of a line.
    pub(crate) fn is_notification_due(&self) -> bool {
        self.initialized && self.logging && !self.notified
    }

    /// Notes that the notification is out.
    pub(crate) fn notify(&mut self) {
        self.notified = true;
    }

    /// Whether the warning was delivered.
    pub(crate) fn delivery(&self) -> Delivery {
        if self.block || self.listed || self.called { Delivery::Delivered } else { Delivery::Undelivered }
    }

    /// Takes a complete message of the client.
    pub(crate) fn client_said(&mut self, facts: &MessageFacts) {
        let Some(method) = facts.method else { return };
        if method == Method::Initialized {
            self.initialized = true;
            self.awaiting = false;
            // Every answer that the client can have read carried the block.
            self.block |= self.carried;
            self.forget();
        }
        for id in [facts.first_id, facts.id].into_iter().flatten() {
            if let Id::Value(id) = id {
                self.ask(id, method, facts.batched);
            }
        }
    }

    fn ask(&mut self, id: u64, method: Method, batched: bool) {
        if method == Method::Initialize {
            (self.initialized, self.carried, self.logging) = (false, false, false);
        }
        if !self.is_wary() && !self.is_target(method) {
            self.open.remove(&id);
            return;
        }
        self.serial += 1;
        self.open.insert(id, OpenRequest { method, batched, serial: self.serial });
        self.ages.push_back((id, self.serial));
        if self.open.len() > limits::OPEN_REQUESTS {
            self.drop_oldest();
        }
        if self.ages.len() > 2 * limits::OPEN_REQUESTS {
            let open = &self.open;
            self.ages.retain(|(id, serial)| open.get(id).is_some_and(|known| known.serial == *serial));
        }
    }

    fn drop_oldest(&mut self) {
        while let Some((id, serial)) = self.ages.pop_front() {
            if self.open.get(&id).is_some_and(|known| known.serial == serial) {
                self.open.remove(&id);
                return;
            }
        }
    }

    /// Whether the answer to a request of this method has to carry the warning.
    fn is_target(&self, method: Method) -> bool {
        match method {
            Method::Initialize | Method::Discover => true,
            Method::List => !self.block,
            Method::Call => self.is_silent(),
            Method::Initialized | Method::Other => false,
        }
    }

    /// Finds the request that a message of the server answers. If it has two ids, the one that matters counts.
    pub(crate) fn waiting(&self, facts: &MessageFacts) -> Waiting {
        let known = |id: Option<Id>| match id {
            Some(Id::Value(id)) => self.open.get(&id),
            Some(Id::Useless) | None => None,
        };
        let (first, last) = (known(facts.first_id), known(facts.id));
        match first.into_iter().chain(last).find(|open| self.is_target(open.method)) {
            Some(open) => Waiting::Target(*open),
            None if last.is_some() => Waiting::Other,
            None => Waiting::Nobody,
        }
    }

    /// Closes the request that a message answers.
    pub(crate) fn close(&mut self, facts: &MessageFacts) {
        for id in [facts.first_id, facts.id].into_iter().flatten() {
            if let Id::Value(id) = id {
                self.open.remove(&id);
            }
        }
    }

    /// Notes that an answer to a request of this method carried the warning. `surely` means that every client reads it.
    pub(crate) fn carried(&mut self, method: Method, surely: bool) {
        match method {
            Method::Initialize => {
                self.carried = true;
                self.block |= surely;
                self.awaiting = self.block && !self.initialized;
            }
            Method::Discover => self.block |= surely,
            Method::List => self.listed |= surely,
            Method::Call => self.called |= surely,
            Method::Initialized | Method::Other => {}
        }
        self.forget();
    }

    /// Notes that a message that looks like a handshake's answer carried the block.
    pub(crate) fn carried_by_shape(&mut self) {
        self.carried = true;
    }

    /// Notes that the handshake's answer declared the capability `logging`.
    pub(crate) fn declares_logging(&mut self) {
        self.logging = true;
    }

    /// Removes requests that no longer matter once the warning is delivered.
    fn forget(&mut self) {
        if self.is_wary() {
            return;
        }
        let mut open = std::mem::take(&mut self.open);
        open.retain(|_, request| self.is_target(request.method));
        self.open = open;
        self.ages.retain(|(id, serial)| self.open.get(id).is_some_and(|known| known.serial == *serial));
    }
}
