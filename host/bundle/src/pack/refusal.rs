//! Collects everything in a directory that can't be packed into one message.

use crate::error::BundleError;
use crate::error::BundleErrorKind;
use smcp_model::limits;
use smcp_model::text::SafeText;

/// The refused paths so far.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    listed: Vec<String>,
    count: usize,
    has_links: bool,
    has_others: bool,
    has_secrets: bool,
}

impl Refusals {
    /// Adds a secret.
    pub(super) fn secret(&mut self, path: &str, why: &str) {
        self.has_secrets = true;
        self.add(path, why);
    }

    /// Adds an entry that is neither a file nor a directory.
    pub(super) fn kind(&mut self, path: &str, what: &str) {
        if what == LINK {
            self.has_links = true;
        } else {
            self.has_others = true;
        }
        self.add(path, what);
    }

    /// Adds a name that a bundle can't have.
    pub(super) fn name(&mut self, path: &str, problem: &str) {
        self.has_others = true;
        self.add(path, problem);
    }

    fn add(&mut self, path: &str, problem: &str) {
        self.count = self.count.saturating_add(1);
        if self.listed.len() < limits::PUBLISH_LISTED {
            let path = SafeText::within(path, limits::NAME_SHOWN);
            self.listed.push(format!("\n  `{path}`: {}", SafeText::new(problem)));
        }
    }

    /// Returns one error about all refusals, if there are any.
    pub(super) fn settle(self, label: &str) -> Result<(), BundleError> {
        if self.count == 0 {
            return Ok(());
        }
        let things = if self.count == 1 { "1 thing" } else { &format!("{} things", self.count) };
        let more = self.count.saturating_sub(self.listed.len());
        let more = if more == 0 { String::new() } else { format!("\n  and {more} more") };
        let ways = [(self.has_links, LINKS), (self.has_others, OTHERS), (self.has_secrets, SECRETS)];
        let ways: String = ways.iter().filter(|(has, _)| *has).map(|(_, way)| format!("\n  {way}")).collect();
        let problem = format!("{things} in its directory may not be packed{}{more}{ways}", self.listed.concat());
        Err(BundleErrorKind::Unpublishable(problem).of(label))
    }
}

const LINK: &str = "a symbolic link";
const LINKS: &str = "links: a bundle holds files and directories only; install with `npm ci --omit=dev --no-bin-links` or \
    `pip install --target lib`, copy with `cp -RL` to have files in their place, or leave them out with --exclude GLOB";
const OTHERS: &str = "other things: a bundle holds files and directories with plain names only; leave them out with \
    --exclude GLOB or in a `.smcpignore`";
const SECRETS: &str = "secrets: everybody who reaches the registry can read a bundle, and nothing takes it back; leave \
    them out with --exclude GLOB or in a `.smcpignore`, or pass --include-secrets if none of them is one";
