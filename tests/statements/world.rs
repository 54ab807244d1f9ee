//! A registry with a package, somebody who signs statements about it, and a home that believes him.

use std::fs;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use serde_json::Value;

use crate::bed::Package;
use crate::bed::Ran;
use crate::bed::TestBed;
use smcp_model::digest::Digest;
use smcp_model::facts::Facts;
use smcp_model::facts::Origin;
use smcp_model::facts::Score;
use smcp_model::facts::Status;
use smcp_model::statement::FactsStatement;
use smcp_model::statement::StatementTarget;
use smcp_model::statement::StatementTerms;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

pub(crate) const TOOL: &str = "acme/tool@1.0.0";
pub(crate) const DAY: u64 = 86_400;
pub(crate) const HOUR: u64 = 3_600;

/// A home, its registry, and a key.
pub(crate) struct World {
    pub(crate) bed: TestBed,
    pub(crate) key: SecretKey,
}

/// What a statement says. Its score is not the registry's.
#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) status: Option<&'static str>,
    pub(crate) score: u8,
    /// Seconds from now.
    pub(crate) issued: i64,
    /// Seconds after it was issued.
    pub(crate) validity: u64,
    pub(crate) sequence: u64,
}

impl Said {
    pub(crate) fn good() -> Self {
        Self { status: Some("published"), score: 85, issued: -10, validity: 90 * DAY, sequence: 7 }
    }

    /// The statement about a version.
    pub(crate) fn about(&self, target: &StatementTarget) -> Vec<u8> {
        let issued = now().checked_add_signed(self.issued).unwrap();
        let facts = Facts {
            status: self.status.map(Status::from_word),
            origin: Some(Origin::Verified),
            score: Score::new(self.score),
            ..Facts::default()
        };
        let terms = StatementTerms { issued, expires: issued + self.validity, sequence: self.sequence };
        FactsStatement::new(target, None, facts, terms).unwrap().to_text().into_bytes()
    }
}

pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl World {
    /// The registry's own words are better than those of every statement.
    pub(crate) fn new() -> Self {
        let world = Self { bed: TestBed::new(), key: SecretKey::generate().unwrap() };
        world.bed.configure("");
        world.bed.publish(&Package::shell(TOOL, "touch \"$HOME/proof/started\"").good());
        world
    }

    pub(crate) fn target(&self) -> StatementTarget {
        let entry: Value = serde_json::from_str(&self.bed.read("registry/packages/acme/tool/1.0.0.json")).unwrap();
        let digest = |which: &str| entry["resolved"][which]["digest"].as_str().unwrap().parse().unwrap();
        StatementTarget { package: TOOL.to_owned(), manifest: digest("manifest"), bundle: digest("bundle") }
    }

    /// The folder of the statements about the package.
    pub(crate) fn folder(&self) -> String {
        format!("registry/packages/acme/tool/1.0.0.statements/{}", self.target().manifest.hex())
    }

    /// Places a statement with a signature, as the registry's owner can.
    pub(crate) fn place(&self, statement: &[u8], signer: &str, signature: impl AsRef<[u8]>) {
        let name = format!("{}/{}", self.folder(), Digest::of(statement).hex());
        self.bed.write(&format!("{name}.json"), statement);
        self.bed.write(&format!("{name}.{signer}.minisig"), signature);
    }

    /// Places a statement that a key has signed.
    pub(crate) fn sign_by(&self, key: &SecretKey, statement: &[u8]) {
        self.place(statement, &key.public().number(), signature(key, statement));
    }

    /// Places a statement of the one who is believed.
    pub(crate) fn say(&self, said: &Said) {
        self.sign_by(&self.key, &said.about(&self.target()));
    }

    /// Removes every statement.
    pub(crate) fn hide(&self) {
        drop(fs::remove_dir_all(self.bed.path("registry/packages/acme/tool/1.0.0.statements")));
    }

    /// Believes statements of the key; `more` are further keys of the entry.
    pub(crate) fn believe(&self, more: &str, policy: &str) {
        self.believe_by(&format!("[{{minisign: {}}}]", self.key.public()), more, policy);
    }

    /// Believes statements of these signers.
    pub(crate) fn believe_by(&self, signers: &str, more: &str, policy: &str) {
        let entry = format!("{{registry: ~/registry, signed_by: {signers}{more}}}");
        self.bed.configure(&format!("trusted_registries: [{entry}]\npolicy: {{{policy}}}\n"));
    }

    pub(crate) fn check(&self) -> Ran {
        self.bed.run(&format!("--json policy check --trust {TOOL}"))
    }

    /// Checks that nothing starts; returns the code of the refusal.
    #[track_caller]
    pub(crate) fn refuses(&self, exit: i32) -> String {
        let document = self.check().exits(exit).document();
        self.bed.run(&format!("run --trust {TOOL}")).exits(exit);
        assert!(!self.bed.has("proof/started"));
        document["refusal"]["code"].as_str().unwrap_or("policy").to_owned()
    }

    /// Checks that it starts; returns the statements that were gone by.
    #[track_caller]
    pub(crate) fn starts(&self) -> Value {
        let document = self.check().succeeds().document();
        self.bed.run(&format!("run --trust {TOOL}")).succeeds();
        assert!(self.bed.has("proof/started"));
        document["statements"].clone()
    }
}

pub(crate) fn signature(key: &SecretKey, statement: &[u8]) -> String {
    minisign::sign(key, statement, "timestamp:1\tfile:statement.json\thashed")
}
