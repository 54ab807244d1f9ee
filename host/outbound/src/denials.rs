//! Counts what a server was refused, by host.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::hosts::is_one_host;
use smcp_model::host_entry::USUAL_PORTS;
use smcp_model::limits;
use smcp_model::record::DeniedHost;
use smcp_model::text::SafeText;

/// What stands for all hosts beyond those that are counted one by one.
const OTHERS: &str = "others";

/// The hosts that a server was refused, with how often. Copies count together.
#[derive(Debug, Clone, Default)]
pub struct Denials(Arc<Mutex<BTreeMap<String, RefusalCounts>>>);

/// How often a host was asked for, and how often in the way that most clients use beside it.
type RefusalCounts = [u64; 2];

impl Denials {
    /// Notes a refusal, and says it when it is the first for this host.
    pub(crate) fn note(&self, host: &str, port: Option<u16>, why: &str) {
        self.count(host, port, why, |[asked, _]| asked);
    }

    /// Notes a refusal that most clients get beside another one. It counts where there is no other.
    pub(crate) fn note_beside(&self, host: &str, why: &str) {
        self.count(host, None, why, |[_, beside]| beside);
    }

    fn count(&self, host: &str, port: Option<u16>, why: &str, of: fn(&mut RefusalCounts) -> &mut u64) {
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
        let count = of(counts.entry(shown).or_default());
        *count = count.saturating_add(1);
    }

    /// The hosts so far, each as an entry of a manifest's list. What would stand for others, or for none, is none.
    pub fn entries(&self) -> Vec<String> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let hosts = counts.keys().filter(|host| *host != OTHERS);
        let usual =
            |host: &str| USUAL_PORTS.iter().find_map(|port| host.strip_suffix(&format!(":{port}")).map(str::to_owned));
        let entries = hosts.map(|host| usual(host).unwrap_or_else(|| host.clone()));
        entries.filter(|entry| is_one_host(entry)).collect()
    }

    /// The counts so far.
    pub fn counts(&self) -> Vec<DeniedHost> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let denied = |(host, [asked, beside]): (&String, &RefusalCounts)| {
            let count = *asked.max(beside);
            DeniedHost { host: SafeText::new(host), count }
        };
        counts.iter().map(denied).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_asked_for_in_two_ways_counts_once() {
        let denials = Denials::default();
        for _ in 0..3 {
            denials.note_beside("both.example", "it is not named");
            denials.note_beside("one.example", "it is not named");
            denials.note("both.example", None, "it is not named");
        }
        let denied = |host: &str| DeniedHost { host: host.into(), count: 3 };
        assert_eq!(denials.counts(), [denied("both.example"), denied("one.example")]);
    }

    #[test]
    fn what_is_asked_for_is_no_pattern() {
        let denials = Denials::default();
        let asked = [
            ("*", Some(443)),
            ("*.com", None),
            ("*.example", Some(8443)),
            ("a b", None),
            ("a,b", Some(80)),
            ("127.1", Some(80)),
            ("a.example", Some(443)),
            ("a.example", Some(8443)),
            ("[2001:db8::1]", Some(80)),
            ("b.example", None),
        ];
        asked.iter().for_each(|(host, port)| denials.note(host, *port, "it is not named"));
        assert_eq!(denials.counts().len(), asked.len());
        assert_eq!(denials.entries(), ["[2001:db8::1]", "a.example", "a.example:8443", "b.example"]);
    }

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
