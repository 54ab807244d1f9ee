//! Joins the files of one layer: each key once, the entries of all.
//!
//! A part of `fold`. Every struct is destructured in full, so that a new key can't be forgotten.

use crate::drafts::ConfigProblems;
use crate::layer_file::PolicyValues;
use crate::layer_file::Values;
use crate::place::WrittenValue;

impl Values {
    /// Joins these values and those of a later file. A key that both have is a problem of the later file.
    pub(super) fn join(self, later: Self, problems: &mut ConfigProblems) -> Self {
        let Self {
            registry_url,
            trusted_registries,
            registries,
            admin_contact,
            ca_file,
            cache_dir,
            runtime_dir,
            start_timeout,
            max_facts_age,
            audit,
            confinement,
            audit_head,
            audit_log,
            policy,
        } = later;
        Self {
            registry_url: single_value(self.registry_url, registry_url, problems),
            trusted_registries: single_value(self.trusted_registries, trusted_registries, problems),
            registries: single_value(self.registries, registries, problems),
            admin_contact: single_value(self.admin_contact, admin_contact, problems),
            ca_file: single_value(self.ca_file, ca_file, problems),
            cache_dir: single_value(self.cache_dir, cache_dir, problems),
            runtime_dir: single_value(self.runtime_dir, runtime_dir, problems),
            start_timeout: single_value(self.start_timeout, start_timeout, problems),
            max_facts_age: single_value(self.max_facts_age, max_facts_age, problems),
            audit: single_value(self.audit, audit, problems),
            confinement: single_value(self.confinement, confinement, problems),
            audit_head: single_value(self.audit_head, audit_head, problems),
            audit_log: single_value(self.audit_log, audit_log, problems),
            policy: self.policy.join(policy, problems),
        }
    }
}

impl PolicyValues {
    fn join(self, later: Self, problems: &mut ConfigProblems) -> Self {
        let Self {
            allowed_origins,
            min_cert_level,
            min_score,
            cert_mode,
            origin_mode,
            score_mode,
            cert_score_check,
            warning_threshold,
            max_policies,
            custom_place,
            custom,
            exceptions,
            policy_set,
        } = later;
        Self {
            allowed_origins: single_value(self.allowed_origins, allowed_origins, problems),
            min_cert_level: single_value(self.min_cert_level, min_cert_level, problems),
            min_score: single_value(self.min_score, min_score, problems),
            cert_mode: single_value(self.cert_mode, cert_mode, problems),
            origin_mode: single_value(self.origin_mode, origin_mode, problems),
            score_mode: single_value(self.score_mode, score_mode, problems),
            cert_score_check: single_value(self.cert_score_check, cert_score_check, problems),
            warning_threshold: single_value(self.warning_threshold, warning_threshold, problems),
            max_policies: single_value(self.max_policies, max_policies, problems),
            custom_place: self.custom_place.or(custom_place),
            custom: self.custom.into_iter().chain(custom).collect(),
            exceptions: self.exceptions.into_iter().chain(exceptions).collect(),
            policy_set: single_value(self.policy_set, policy_set, problems),
        }
    }
}

/// Returns the value of a key, and notes a problem if both files have one.
fn single_value<T>(
    first: Option<WrittenValue<T>>,
    later: Option<WrittenValue<T>>,
    problems: &mut ConfigProblems,
) -> Option<WrittenValue<T>> {
    if let (Some(first), Some(later)) = (&first, &later) {
        let message = format!("another file of this layer gives `{}` too", later.place.key());
        problems.note_repeated(&later.place, &first.place, message, "each key in one file of a layer");
    }
    first.or(later)
}
