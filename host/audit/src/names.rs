//! The names of a log's files, made from the name of the log.

use smcp_model::limits;

/// How many digits the number of an old file has.
const DIGITS: usize = 6;

/// Whether a name in the folder of the log `log` is that of one of its files: itself, its lock, what was put aside.
pub fn is_of_log(log: &str, name: &str) -> bool {
    let names = LogNames::of(log);
    let own = [&names.log, &names.lock, &names.running, &names.probe];
    own.iter().any(|own| own.as_str() == name) || names.number_of(name).is_some() || names.is_foreign_part(name)
}

/// The names of one log's files: `audit.jsonl`, `audit.lock`, `audit-000001.jsonl` and so on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogNames {
    /// The file that records are appended to.
    pub(super) log: String,
    /// The file that writers lock, and readers while they list the files.
    pub(super) lock: String,
    /// The folder with one file for each running server.
    pub(super) running: String,
    /// The file that tests whether a record can be written.
    pub(super) probe: String,
    stem: String,
    end: String,
}

impl LogNames {
    /// The names for the file name `log`.
    pub(super) fn of(log: &str) -> Self {
        let (stem, end) = match log.rfind('.') {
            Some(at) if at > 0 => log.split_at(at),
            Some(_) | None => (log, ""),
        };
        // A log that is itself called `x.lock` keeps that name, and its lock gets a longer one.
        let (stem, end) = if matches!(end, ".lock" | ".running" | ".probe") { (log, "") } else { (stem, end) };
        let with = |end: &str| format!("{stem}{end}");
        Self {
            lock: with(".lock"),
            running: with(".running"),
            probe: with(".probe"),
            log: log.to_owned(),
            stem: stem.to_owned(),
            end: end.to_owned(),
        }
    }

    /// The name of the `number`th file that was put aside.
    pub(super) fn old(&self, number: u32) -> String {
        format!("{}-{number:0DIGITS$}{}", self.stem, self.end)
    }

    /// The number of a file that was put aside; `None` for any other file.
    pub(super) fn number_of(&self, name: &str) -> Option<u32> {
        let number = name.strip_prefix(&self.stem)?.strip_prefix('-')?.strip_suffix(&self.end)?.parse().ok()?;
        (number <= limits::AUDIT_FILES && self.old(number) == name).then_some(number)
    }

    /// Whether a file looks like a part of this log that another program put aside, as log rotation does:
    /// `audit.jsonl.1`, `audit.jsonl-20261129.gz`, `audit-20261129.jsonl`, `audit.1.jsonl`.
    pub(super) fn is_foreign_part(&self, name: &str) -> bool {
        let ours = [&self.log, &self.lock, &self.running, &self.probe].contains(&&name.to_owned());
        if ours || self.number_of(name).is_some() {
            return false;
        }
        let separated = |rest: &str| rest.starts_with(['.', '-', '_', '~']);
        let behind = name.strip_prefix(&self.log).is_some_and(separated);
        let between = name.strip_prefix(&self.stem).filter(|rest| separated(rest));
        behind || between.is_some_and(|rest| !self.end.is_empty() && rest.contains(&self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_are_files_of_the_log() {
        let names = LogNames::of("audit.jsonl");
        for (name, number) in [
            ("audit-000001.jsonl", Some(1)),
            ("audit-999999.jsonl", Some(999_999)),
            ("audit.jsonl", None),
            ("audit-1.jsonl", None),
            ("audit-000001.jsonl.gz", None),
            ("audit-00000x.jsonl", None),
            ("audit-+00001.jsonl", None),
            // A date that another program wrote, not a number of ours.
            ("audit-20261129.jsonl", None),
        ] {
            assert_eq!(names.number_of(name), number, "{name}");
        }
    }

    #[test]
    fn every_file_of_a_log_is_named_after_it() {
        for (log, lock, old) in [
            ("audit.jsonl", "audit.lock", "audit-000007.jsonl"),
            ("smcp", "smcp.lock", "smcp-000007"),
            (".log", ".log.lock", ".log-000007"),
            ("a.b.log", "a.b.lock", "a.b-000007.log"),
            ("audit.lock", "audit.lock.lock", "audit.lock-000007"),
        ] {
            let names = LogNames::of(log);
            assert_eq!((names.lock.as_str(), names.old(7).as_str()), (lock, old), "{log}");
            assert_eq!(names.number_of(old), Some(7), "{log}");
        }
    }

    #[test]
    fn files_of_other_programs_are_told_from_ours() {
        let names = LogNames::of("audit.jsonl");
        for name in [
            "audit.jsonl.1",
            "audit.jsonl.1.gz",
            "audit.jsonl-20261129",
            "audit.jsonl-20261129.gz",
            "audit-20261129.jsonl",
            "audit.1.jsonl",
            "audit.jsonl.old",
            "audit.jsonl~",
        ] {
            assert!(names.is_foreign_part(name), "{name}");
        }
        for name in [
            "audit.jsonl",
            "audit.lock",
            "audit.running",
            "audit.probe",
            "audit-000001.jsonl",
            "auditor.jsonl",
            "config.yaml",
            "audit-notes.txt",
        ] {
            assert!(!names.is_foreign_part(name), "{name}");
        }
    }
}
