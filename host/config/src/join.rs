//! The files of one layer as one: each key in one file, the custom policies of all.
//!
//! A part of `fold`. Every struct is taken apart in full, so that a new key can't be forgotten.

use crate::drafts::Problems;
use crate::layer_file::PolicyValues;
use crate::layer_file::Values;
use crate::place::Written;

impl Values {
    /// These values and those of a later file. A key that both have is a problem of the later file.
    pub(super) fn join(self, later: Self, problems: &mut Problems) -> Self {
        let Self {
            registry_url,
            trusted_registries,
            cache_dir,
            runtime_dir,
            start_timeout,
            max_facts_age,
            audit,
            audit_head,
            audit_log,
            policy,
        } = later;
        Self {
            registry_url: one(self.registry_url, registry_url, problems),
            trusted_registries: one(self.trusted_registries, trusted_registries, problems),
            cache_dir: one(self.cache_dir, cache_dir, problems),
            runtime_dir: one(self.runtime_dir, runtime_dir, problems),
            start_timeout: one(self.start_timeout, start_timeout, problems),
            max_facts_age: one(self.max_facts_age, max_facts_age, problems),
            audit: one(self.audit, audit, problems),
            audit_head: one(self.audit_head, audit_head, problems),
            audit_log: one(self.audit_log, audit_log, problems),
            policy: self.policy.join(policy, problems),
        }
    }
}

impl PolicyValues {
    fn join(self, later: Self, problems: &mut Problems) -> Self {
        let Self {
            allowed_origins,
            min_cert_level,
            min_score,
            cert_mode,
            origin_mode,
            score_mode,
            cert_score_check,
            warning_threshold,
            custom_place,
            custom,
        } = later;
        Self {
            allowed_origins: one(self.allowed_origins, allowed_origins, problems),
            min_cert_level: one(self.min_cert_level, min_cert_level, problems),
            min_score: one(self.min_score, min_score, problems),
            cert_mode: one(self.cert_mode, cert_mode, problems),
            origin_mode: one(self.origin_mode, origin_mode, problems),
            score_mode: one(self.score_mode, score_mode, problems),
            cert_score_check: one(self.cert_score_check, cert_score_check, problems),
            warning_threshold: one(self.warning_threshold, warning_threshold, problems),
            custom_place: self.custom_place.or(custom_place),
            custom: self.custom.into_iter().chain(custom).collect(),
        }
    }
}

/// The one value of a key.
fn one<T>(first: Option<Written<T>>, later: Option<Written<T>>, problems: &mut Problems) -> Option<Written<T>> {
    if let (Some(first), Some(later)) = (&first, &later) {
        let message = format!("another file of this layer gives `{}` too", later.place.key());
        problems.note_repeated(&later.place, &first.place, message, "each key in one file of a layer");
    }
    first.or(later)
}
