//! Machines with homes and clocks, and a shelf that they read a set from.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use tempfile::TempDir;

use super::super::*;
use crate::Compilation;
use smcp_audit::Clock;
use smcp_bundle::set::pack_set;
use smcp_config as config;
use smcp_config::Places;
use smcp_model::exit::ExitKind;
use smcp_model::ownership::Caller;

/// 2100-01-01: after every build of smcp.
pub(super) const START: u64 = 4_102_444_800;
pub(super) const DAY: u64 = 86_400;
pub(super) const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/policies/dist/no_network.wasm");

pub(super) const FIRST_DAY: Clock = || UNIX_EPOCH + Duration::from_secs(START);
pub(super) const SECOND_DAY: Clock = || UNIX_EPOCH + Duration::from_secs(START + DAY);
pub(super) const TENTH_DAY: Clock = || UNIX_EPOCH + Duration::from_secs(START + 9 * DAY);
pub(super) const NEXT_YEAR: Clock = || UNIX_EPOCH + Duration::from_secs(START + 366 * DAY);
pub(super) const LONG_AGO: Clock = || UNIX_EPOCH + Duration::from_secs(START - 1_000 * DAY);

/// A place that machines read a set from.
pub(super) struct Shelf {
    folder: TempDir,
}

/// The home of a user on one machine.
pub(super) struct Machine {
    home: TempDir,
    options: &'static str,
}

/// What a start had.
#[derive(Debug, PartialEq)]
pub(super) enum Had {
    /// This version, and these notices by their codes.
    Version(u64, Vec<&'static str>),
    /// Nothing started; the exit code, the error's code, and its text.
    Nothing(ExitKind, &'static str, String),
}

impl Shelf {
    pub(super) fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("company.tar.gz")
    }

    pub(super) fn put(&self, archive: impl AsRef<[u8]>) {
        let draft = self.folder.path().join("draft");
        fs::write(&draft, archive).unwrap();
        fs::rename(draft, self.path()).unwrap();
    }

    pub(super) fn put_version(&self, version: u64, expires: &str) {
        self.put(set(&head(version, expires)));
    }

    pub(super) fn clear(&self) {
        fs::remove_file(self.path()).unwrap();
    }
}

pub(super) fn head(version: u64, expires: &str) -> String {
    format!("version: {version}\nexpires: {expires}\npolicy: {{min_score: {}}}\n", version.min(100))
}

pub(super) fn files(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let files: BTreeMap<_, _> = entries.iter().map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec())).collect();
    pack_set(&files).unwrap()
}

/// A set with this `set.yaml`, and one component.
pub(super) fn set(text: &str) -> Vec<u8> {
    files(&[("set.yaml", text.as_bytes()), ("policies.d/no-network.wasm", &component())])
}

pub(super) fn component() -> Vec<u8> {
    fs::read(COMPONENT).unwrap()
}

impl Machine {
    pub(super) fn new(options: &'static str) -> Self {
        Self { home: TempDir::new().unwrap(), options }
    }

    pub(super) fn mcp(&self) -> PathBuf {
        self.home.path().join(".mcp")
    }

    /// The copies of sets.
    pub(super) fn copies(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.mcp().join("sets")).unwrap();
        let is_copy = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "gz");
        entries.map(|entry| entry.unwrap().path()).filter(is_copy).collect()
    }

    pub(super) fn system(&self, clock: Clock) -> System {
        System {
            environment: vec![("HOME".into(), self.home.path().into())],
            clock,
            caller: Caller::new(nix::unistd::geteuid().as_raw(), || None),
            stdin: || Err(io::ErrorKind::NotFound.into()),
            is_program: |_| None,
            read_head: |_| None,
            compilation: Compilation::InProcess,
            lasting: true,
        }
    }

    pub(super) fn config(&self, source: &Path) -> Config {
        let places = Places {
            home: Some(self.home.path().to_owned()),
            working_directory: self.home.path().to_owned(),
            system_folder: self.home.path().join("none"),
        };
        let text = format!(
            "trusted_registries: [https://own.example]\npolicy: {{policy_set: {{source: {}, {}}}}}\n",
            source.display(),
            self.options
        );
        config::parse(text.as_bytes(), &self.home.path().join("config.yaml"), &places).unwrap()
    }

    pub(super) fn try_start(&self, shelf: &Shelf, clock: Clock) -> Result<(Config, Vec<Notice>), PipelineError> {
        let mut config = self.config(&shelf.path());
        let found = add_sets(&mut config, &self.system(clock))?;
        Ok((config, found.notices))
    }

    pub(super) fn start(&self, shelf: &Shelf, clock: Clock) -> Had {
        match self.try_start(shelf, clock) {
            Ok((config, notices)) => {
                let facts = config.layer(LayerName::UserSet).unwrap().set().unwrap();
                Had::Version(facts.version, notices.iter().map(|notice| notice.code).collect())
            }
            Err(error) => Had::Nothing(error.exit_kind(), error.code(), error.to_string()),
        }
    }

    #[track_caller]
    pub(super) fn has(&self, shelf: &Shelf, clock: Clock, version: u64, notices: &[&'static str]) {
        assert_eq!(self.start(shelf, clock), Had::Version(version, notices.to_vec()));
    }

    #[track_caller]
    pub(super) fn has_nothing(&self, shelf: &Shelf, clock: Clock, exit: ExitKind, code: &str, words: &str) {
        match self.start(shelf, clock) {
            Had::Nothing(found, found_code, text) => {
                assert_eq!((found, found_code), (exit, code), "{text}");
                assert!(text.contains(words) && text.ends_with("nothing starts without a good set"), "{text}");
            }
            had @ Had::Version(..) => panic!("{had:?}"),
        }
    }
}
