//! Notes the hosts that a server has reached, as a manifest would name them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::hosts::address_of;
use crate::hosts::is_one_host;
use smcp_model::host_entry::LOCALHOST;
use smcp_model::host_entry::host_entry;
use smcp_model::limits;

/// The hosts that a server was connected with. Copies note together.
#[derive(Debug, Clone, Default)]
pub struct Reached(Arc<Mutex<BTreeSet<String>>>);

impl Reached {
    /// Notes a host, an address in brackets if it is one of the new kind. One of this machine is `localhost`.
    pub(crate) fn note(&self, host: &str, port: u16) {
        let host = if address_of(host).is_some_and(|address| address.is_loopback()) { LOCALHOST } else { host };
        let entry = host_entry(host.strip_suffix('.').unwrap_or(host), port);
        if !is_one_host(&entry) {
            return;
        }
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.len() < limits::observe::HOSTS {
            hosts.insert(entry);
        }
    }

    /// The hosts so far, each as an entry of a manifest's list.
    pub fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
