//! Machines with homes and clocks, and a shelf that they read a set from.

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use tempfile::TempDir;

use super::super::*;
use crate::Compilation;
use crate::remote::SetQuestion;
use crate::remote::signature;
use crate::sets::archive::ArrivedSet;
use crate::sets::proof::SetProof;
use smcp_audit::Clock;
use smcp_bundle::set::pack_set;
use smcp_config as config;
use smcp_config::Places;
use smcp_model::exit::ExitKind;
use smcp_model::ownership::Caller;
use smcp_oci::Descriptor;
use smcp_oci::FetchedManifest;
use smcp_oci::OciError;
use smcp_oci::set;
use smcp_signature::SignatureForm;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

/// 2100-01-01: after every build of smcp.
pub(super) const START: u64 = 4_102_444_800;
pub(super) const DAY: u64 = 86_400;
pub(super) const COMPONENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/policies/dist/no_network.wasm");

pub(super) const FIRST_DAY: Clock = || UNIX_EPOCH + Duration::from_secs(START);
pub(super) const SECOND_DAY: Clock = || UNIX_EPOCH + Duration::from_secs(START + DAY);
pub(super) const TENTH_DAY: Clock = || UNIX_EPOCH + Duration::from_secs(START + 9 * DAY);
pub(super) const NEXT_YEAR: Clock = || UNIX_EPOCH + Duration::from_secs(START + 366 * DAY);
pub(super) const LONG_AGO: Clock = || UNIX_EPOCH + Duration::from_secs(START - 1_000 * DAY);

/// A place that machines read a set from: a file, or a server that has it.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: TempDir,
    /// The address of the server; `None` for a file.
    address: Option<&'static str>,
    /// Whether the server gives something else.
    pub(super) is_wrong: Cell<bool>,
    /// A signature beside the one in a file.
    further: RefCell<Option<String>>,
    /// How often the server was asked.
    asked: Cell<usize>,
    /// The time that the last question had.
    pub(super) patience: Cell<Option<Duration>>,
}

/// The home of a user on one machine.
pub(super) struct Machine {
    home: TempDir,
    pub(super) options: String,
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
        let folder = TempDir::new().unwrap();
        Self {
            folder,
            address: None,
            is_wrong: Cell::default(),
            further: RefCell::default(),
            asked: Cell::default(),
            patience: Cell::default(),
        }
    }

    pub(super) fn at(address: &'static str) -> Self {
        Self { address: Some(address), ..Self::new() }
    }

    /// The source of the set, as a configuration names it.
    fn source(&self) -> String {
        self.address.map_or_else(|| self.path().display().to_string(), str::to_owned)
    }

    /// How often the server was asked since the last time.
    pub(super) fn asked(&self) -> usize {
        self.asked.replace(0)
    }

    /// Puts a signature of these bytes beside the set.
    pub(super) fn sign(&self, key: &SecretKey, bytes: &[u8]) {
        fs::write(self.signature(), minisign::sign(key, bytes, "timestamp:1")).unwrap();
    }

    /// Has the server give one more signature.
    pub(super) fn also(&self, key: &SecretKey, bytes: &[u8]) {
        self.further.replace(Some(minisign::sign(key, bytes, "timestamp:1")));
    }

    /// Puts a set there with its signature.
    pub(super) fn put_signed(&self, key: &SecretKey, archive: &[u8]) {
        self.sign(key, archive);
        self.put(archive);
    }

    pub(super) fn signature(&self) -> PathBuf {
        self.folder.path().join("company.tar.gz.minisig")
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

/// The rule that one of these keys must have signed.
pub(super) fn signed_by(keys: &[&SecretKey]) -> String {
    let signers: Vec<_> = keys.iter().map(|key| format!("{{minisign: '{}'}}", key.public())).collect();
    format!("signed_by: [{}]", signers.join(", "))
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

/// The manifest of an archive in a registry.
pub(super) fn manifest(archive: &[u8]) -> FetchedManifest {
    let kind = "application/vnd.oci.image.manifest.v1+json";
    let document = serde_json::json!({
        "schemaVersion": 2, "mediaType": kind, "artifactType": set::ARTIFACT,
        "config": Descriptor::of("application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [Descriptor::of(set::LAYER, archive)],
    });
    FetchedManifest::of(document.to_string().into_bytes(), None)
}

impl SetServer for Shelf {
    fn ask(&self, question: &SetQuestion<'_>) -> Result<ArrivedSet, OciError> {
        assert_eq!(Some(question.address.to_string().as_str()), self.address);
        self.asked.set(self.asked.get() + 1);
        self.patience.set(question.deadline.remaining());
        if self.is_wrong.get() {
            return Err(OciError::Artefact { what: "it".into(), problem: "it has 2 layers".into(), allowed: "one" });
        }
        let broken = |cause| OciError::Broken { what: "it".to_owned(), cause };
        let bytes = fs::read(self.path()).map_err(broken)?;
        if let Some(kept) = question.kept.filter(|kept| kept.is_enough && *kept.set.bytes().as_slice() == *bytes) {
            return Ok(kept.set.clone());
        }
        let mut signatures = crate::session::documents_beside(&self.path(), question.forms);
        let further = self.further.borrow();
        signatures.extend(further.iter().map(|text| signature(SignatureForm::Minisign, text.clone().into_bytes())));
        let proof = SetProof { manifest: Some(manifest(&bytes)), signatures };
        Ok(ArrivedSet::new(bytes, proof))
    }
}

impl Machine {
    pub(super) fn new(options: impl Into<String>) -> Self {
        Self { home: TempDir::new().unwrap(), options: options.into() }
    }

    /// A machine whose rules want a signature by one of these keys.
    pub(super) fn trusting(keys: &[&SecretKey], more: &str) -> Self {
        Self::new(format!("{}, {more}", signed_by(keys)))
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
            offline: false,
        }
    }

    pub(super) fn config(&self, shelf: &Shelf) -> Config {
        let places = Places {
            home: Some(self.home.path().to_owned()),
            working_directory: self.home.path().to_owned(),
            system_folder: self.home.path().join("none"),
        };
        let text = format!(
            "trusted_registries: [https://own.example]\npolicy: {{policy_set: {{source: '{}', {}}}}}\n",
            shelf.source(),
            self.options
        );
        config::parse(text.as_bytes(), &self.home.path().join("config.yaml"), &places).unwrap()
    }

    pub(super) fn try_start(&self, shelf: &Shelf, clock: Clock) -> Result<(Config, Vec<Notice>), PipelineError> {
        let mut config = self.config(shelf);
        let found = add_sets_by(&mut config, &self.system(clock), shelf, &Deadline::after(Duration::from_secs(60)))?;
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
