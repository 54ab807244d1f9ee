//! What statements are held against: a layer's keys, and what was seen.
//!
//! Nothing is read where no layer goes by statements. The file with what was seen is that of policy sets
//! (`session/sets.rs`), and so is its lock.

use std::io;
use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;

use crate::PipelineError;
use crate::Session;
use crate::clock;
use crate::session::FOLDER;
use crate::session::sets::COPIES;
use crate::session::sets::LOCK;
use crate::session::sets::SEEN;
use crate::session::sets::patience;
use crate::sets::seen::SeenDocument;
use crate::sets::seen::packages::NewlySeen;
use crate::signed::SignerFile;
use smcp_authority as authority;
use smcp_authority::Folder;
use smcp_authority::Guarded;
use smcp_authority::GuardedReader;
use smcp_authority::ReadError;
use smcp_config::Layer;
use smcp_config::StatementRule;
use smcp_config::choice::OnSuspect;
use smcp_decide::Notice;
use smcp_model::limits::sets;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::ownership::Owners;
use smcp_model::policy::LayerName;
use smcp_model::suspect::Suspect;
use smcp_model::text::SafeText;
use smcp_signature::LoadedRule;
use smcp_store::access::StoreAccess;
use smcp_store::draft::FileDraft;

/// What this user's smcp remembers of statements.
#[derive(Debug)]
pub(crate) struct StatementMemory {
    /// `~/.mcp`; `None` when there is no home.
    folder: Option<PathBuf>,
    seen: SeenDocument,
    /// Whether something was seen once, and is not known any more.
    is_lost: bool,
}

impl Session {
    /// Reads the keys of those whose statements a layer believes.
    ///
    /// # Errors
    /// [`PipelineError::SignerFile`] when a file can't be used; [`PipelineError::UntrustedStatements`] when another user
    /// could have written one, and the configuration refuses that.
    pub(crate) fn statement_signers(
        &self,
        layer: LayerName,
        rule: &StatementRule,
        reader: &mut GuardedReader,
    ) -> Result<LoadedRule, PipelineError> {
        LoadedRule::load(&rule.signed_by, &mut |file, limit| {
            let Guarded { bytes, suspects } = reader.read(file, limit, Folder::Any, layer.owners());
            self.refuse_suspect(layer, suspects)?;
            let why = |error: ReadError| SignerFile { file: file.to_owned(), why: error.to_string() };
            bytes.map_err(|error| PipelineError::SignerFile(why(error)))
        })
    }

    /// Reads what was seen of statements; for the first layer that goes by some.
    ///
    /// # Errors
    /// [`PipelineError::UntrustedStatements`] when another user could have written it, and the configuration refuses that.
    pub(crate) fn statement_memory(&self, layer: LayerName) -> Result<StatementMemory, PipelineError> {
        let folder = self.system().home().map(|home| home.join(FOLDER));
        let Some(path) = folder.as_ref() else {
            return Ok(StatementMemory { folder, seen: SeenDocument::default(), is_lost: false });
        };
        let Guarded { bytes, suspects } =
            authority::read_guarded(&path.join(SEEN), sets::SEEN, Folder::Own, Owners::CallerOrRoot);
        let is_there = !bytes.as_ref().is_err_and(ReadError::is_missing);
        let seen = bytes.ok().and_then(|bytes| SeenDocument::parse(&bytes));
        // Whoever notes something makes the lock, and never removes it.
        let was_there = || authority::exists(&path.join(COPIES).join(LOCK)).is_ok_and(|there| there);
        let is_lost = seen.is_none() && (is_there || was_there());
        if is_there {
            self.refuse_suspect(layer, suspects)?;
        }
        Ok(StatementMemory { folder, seen: seen.unwrap_or_default(), is_lost })
    }

    fn refuse_suspect(&self, layer: LayerName, suspects: Vec<Suspect>) -> Result<(), PipelineError> {
        match (self.config().on_suspect(), suspects.into_iter().next()) {
            (OnSuspect::Refuse, Some(suspect)) => Err(PipelineError::UntrustedStatements { layer, suspect }),
            (OnSuspect::Refuse | OnSuspect::Warn, _) => Ok(()),
        }
    }

    /// Returns every file and folder that another user could write to, on the way to the keys of those whose statements a
    /// layer believes.
    pub(super) fn statement_suspects(layer: &Layer, reader: &mut GuardedReader) -> Vec<Suspect> {
        let trusted = layer.trusted().value.iter().flatten();
        let files = trusted.filter_map(|entry| entry.statements.as_ref()).flat_map(|rule| rule.signed_by.files());
        files.flat_map(|file| reader.read(file, 0, Folder::Any, layer.name().owners()).suspects).collect()
    }
}

impl StatementMemory {
    /// What was seen.
    pub(crate) const fn seen(&self) -> &SeenDocument {
        &self.seen
    }

    /// Returns the notice that what was seen is not known any more. It is said once, because a new file is written then.
    pub(crate) fn lost(&self) -> Option<Notice> {
        self.is_lost.then(|| Notice {
            code: "statement-memory-lost",
            message: SafeText::new(
                "~/.mcp/seen.json is lost or damaged, so which signed statements about packages this machine has seen is \
                 not known any more; an older one is accepted as long as it is valid",
            ),
        })
    }

    /// Returns the time that counts, which is not before what was noted last, and a notice when `clock` says less. Where a
    /// policy set is looked for, that has said so.
    pub(crate) fn moment(&self, session: &Session, clock: u64) -> (u64, Option<Notice>) {
        let seen = self.seen.time;
        let is_said = session.config().named_sets().next().is_some();
        let behind = clock::behind(clock, seen).filter(|_| !is_said);
        (clock.max(seen), behind.map(|why| Notice { code: "clock-behind", message: SafeText::new(&why) }))
    }

    /// Remembers statements that were seen at the time `now`, and now and then the time alone: a clock that is set back must
    /// not revive what has expired. Returns a notice when that is not possible: an older one would not be noticed then.
    pub(crate) fn note(&self, statements: Vec<NewlySeen>, now: u64) -> Option<Notice> {
        let is_time_alone = statements.is_empty() && !self.is_lost;
        let is_recent = now.saturating_sub(self.seen.time) < sets::TIME_NOTED.as_secs();
        if is_time_alone && (self.seen.packages.is_empty() || is_recent) {
            return None;
        }
        let noted = match &self.folder {
            Some(folder) => write(folder, statements, now),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "HOME is not set")),
        };
        let error = noted.err()?;
        if is_time_alone {
            // Everything that was seen is known still.
            tracing::warn!(%error, "the time of the last start can't be kept");
            return None;
        }
        Some(Notice {
            code: "statement-not-remembered",
            message: SafeText::new(&format!(
                "what was seen of signed statements can't be kept, so an older one would not be noticed: {error}"
            )),
        })
    }
}

fn write(folder: &Path, statements: Vec<NewlySeen>, now: u64) -> io::Result<()> {
    let dir = authority::create_dir(folder)?;
    let copies = authority::create_dir(&folder.join(COPIES))?;
    // One smcp at a time: what another one has noted meanwhile must not be lost.
    let locked = lock::lock_by(copies.create(LOCK)?.into_std(), Sharing::Exclusive, &patience());
    let _locked = locked.map_err(io::Error::from)?;
    let found = authority::read_file(&folder.join(SEEN), sets::SEEN).ok();
    let mut seen = found.and_then(|bytes| SeenDocument::parse(&bytes)).unwrap_or_default();
    statements.into_iter().for_each(|statement| seen.packages.note(statement, now));
    seen.time = seen.time.max(now);
    // What is longer would not be read again.
    let mut text = seen.text();
    while text.len() > sets::SEEN && seen.packages.drop_oldest() {
        text = seen.text();
    }
    let mut draft = FileDraft::new(&dir, StoreAccess::Private)?;
    draft.write_all(text.as_bytes())?;
    draft.keep(SEEN)
}
