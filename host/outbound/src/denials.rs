//! Counts what a server was refused, by host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use smcp_model::host_entry::USUAL_PORTS;
use smcp_model::limits;
use smcp_model::record::DeniedHost;
use smcp_model::text::SafeText;

/// What stands for all hosts beyond those that are counted one by one.
const OTHERS: &str = "others";

/// The hosts that a server was refused, with how often. Copies count together.
#[derive(Debug, Clone, Default)]
pub struct Denials(Arc<Mutex<BTreeMap<String, u64>>>);

impl Denials {
    /// Notes a refusal, and says it when it is the first for this host.
    pub(crate) fn note(&self, host: &str, port: Option<u16>, why: &str) {
        let host = match port {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let mut shown = SafeText::within(&host, limits::QUOTED).to_string();
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !counts.contains_key(&shown) {
            if counts.len() >= limits::outbound::DENIED {
                OTHERS.clone_into(&mut shown);
            } else {
                tracing::info!("the server was refused {shown}: {why}");
            }
        }
        let count = counts.entry(shown).or_default();
        *count = count.saturating_add(1);
    }

    /// The hosts so far, each as an entry of a manifest's list.
    pub fn entries(&self) -> Vec<String> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts = counts.keys().filter(|host| *host != OTHERS);
        let usual =
            |host: &str| USUAL_PORTS.iter().find_map(|port| host.strip_suffix(&format!(":{port}")).map(str::to_owned));
        hosts.map(|host| usual(host).unwrap_or_else(|| host.clone())).collect()
    }

    /// The counts so far.
    pub fn counts(&self) -> Vec<DeniedHost> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.iter().map(|(host, count)| DeniedHost { host: SafeText::new(host), count: *count }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_counted_in_bounded_space() {
        let denials = Denials::default();
        for number in 0..1000 {
            denials.note(&format!("h{number}.example"), Some(443), "it is not named");
        }
        denials.note("h0.example", Some(443), "it is not named");
        let counts = denials.counts();
        let twice = DeniedHost { host: "h0.example:443".into(), count: 2 };
        assert!(counts.len() == limits::outbound::DENIED + 1 && counts.contains(&twice), "{counts:?}");
        assert_eq!(counts.iter().map(|denied| denied.count).sum::<u64>(), 1001);
    }
}
