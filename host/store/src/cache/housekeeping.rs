//! Lists the files of the cache, and removes them.
//!
//! Only the first bytes of a file are read here. Files of a running package are never removed: they are locked, see
//! [`Lease`](crate::cache::Lease) and [`KeptTree`](crate::trees::KeptTree).

use std::collections::BTreeSet;
use std::collections::HashSet;
use std::io;
use std::io::Read as _;

use crate::blobs::StoreEntry;
use crate::cache::Cache;
use crate::compiled::CompiledFile;
use crate::compiled::CompiledFiles;
use crate::error::RemovalTargetError;
use crate::error::StoreError;
use crate::resolutions::AnswerFile;
use crate::sources::SourceNote;
use smcp_model::cache::CacheEntry;
use smcp_model::cache::CacheKind;
use smcp_model::cache::CacheRemoval;
use smcp_model::cache::CacheRules;
use smcp_model::cache::CacheTarget;
use smcp_model::cache::CachedPackage;
use smcp_model::digest::Digest;
use smcp_model::limits;
use smcp_model::lock;
use smcp_model::lock::Sharing;
use smcp_model::package::Resolution;
use smcp_model::size::ByteSize;

/// The first bytes of every gzip file, and of no manifest.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// The same of an MCP bundle.
const ZIP: [u8; 2] = *b"PK";

impl Cache {
    /// Lists every file, the last used one first.
    ///
    /// # Errors
    /// When the cache can't be listed.
    pub fn entries(&self, now: u64) -> Result<Vec<CacheEntry>, StoreError> {
        self.all(&self.stored()?, &self.answers(now)?)
    }

    /// Removes what `targets` name, from whichever registry it came.
    ///
    /// # Errors
    /// [`RemovalTargetError`], before anything is removed; when something can't be removed.
    pub fn remove_targets(&self, targets: &[CacheTarget], now: u64) -> Result<CacheRemoval, StoreError> {
        let (entries, mut answers) = (self.entries(now)?, self.answers(now)?);
        let mut doomed = Doomed::default();
        let mut gone = Vec::new();
        for target in targets {
            match target {
                CacheTarget::Digest(prefix) => drop(doomed.files.insert(digest_with_prefix(prefix, &entries)?)),
                CacheTarget::Package(id, version) => {
                    let of_target = |file: &mut AnswerFile| {
                        file.answer.as_ref().is_some_and(|kept| {
                            let Resolution { id: of, version: at, .. } = &kept.resolution;
                            of == id && version.as_ref().is_none_or(|version| version == at)
                        })
                    };
                    let before = gone.len();
                    gone.extend(answers.extract_if(.., of_target));
                    if gone.len() == before {
                        return Err(RemovalTargetError::NotCached { target: label(target) }.into());
                    }
                }
            }
        }
        let resolutions = gone.iter().filter_map(|file| file.answer.as_ref()).map(|kept| &kept.resolution);
        let freed = resolutions.flat_map(|gone| [gone.manifest_digest, gone.bundle_digest]);
        doomed.files.extend(freed.filter(|digest| !is_named(digest, &answers)));
        let mut removal = self.remove_all(entries, &doomed, false)?;
        // The answer about a running package stays, so that it can still be recalled.
        gone.retain(|file| {
            !file
                .answer
                .as_ref()
                .is_some_and(|kept| removal.in_use.iter().any(|entry| kept.resolution.has_digest(&entry.digest)))
        });
        self.remove_answers(&gone, &mut removal)?;
        self.remove_orphans(answers, &mut removal, false)?;
        Ok(removal)
    }

    /// Removes every file that is not in use.
    ///
    /// # Errors
    /// When something can't be removed.
    pub fn remove_everything(&self, now: u64) -> Result<CacheRemoval, StoreError> {
        let entries = self.entries(now)?;
        let doomed = Doomed { files: entries.iter().map(|entry| entry.digest).collect(), ..Doomed::default() };
        let mut removal = self.remove_all(entries, &doomed, false)?;
        self.remove_orphans(self.answers(now)?, &mut removal, false)?;
        Ok(removal)
    }

    /// Removes files that no kept answer names, and those that `rules` select. With `dry_run`, only lists them.
    ///
    /// # Errors
    /// When something can't be removed.
    pub fn collect(&self, rules: &CacheRules, now: u64, dry_run: bool) -> Result<CacheRemoval, StoreError> {
        if !dry_run {
            self.sweep();
        }
        let (stored, answers) = (self.stored()?, self.answers(now)?);
        let entries = self.all(&stored, &answers)?;
        let doomed = doomed(&entries, rules, now);
        let mut removal = self.remove_all(entries, &doomed, dry_run)?;
        self.remove_orphans(answers, &mut removal, dry_run)?;
        let abandoned = |file: &&StoreEntry| {
            file.digest.is_none() && file.is_file && age(now, file.modified) > limits::DRAFT_ABANDONED.as_secs()
        };
        for draft in stored.iter().filter(abandoned) {
            if !dry_run {
                self.blobs().remove_stored(draft).map_err(self.failed("remove an unfinished file"))?;
            }
            removal.drafts = removal.drafts.saturating_add(1);
            removal.freed = ByteSize(removal.freed.0.saturating_add(draft.size));
        }
        self.collect_compiled(now, dry_run, &mut removal)?;
        Ok(removal)
    }

    /// Removes what compilers that were killed have left.
    fn collect_compiled(&self, now: u64, dry_run: bool, removal: &mut CacheRemoval) -> Result<(), StoreError> {
        let failed = self.failed("remove an unfinished file");
        let Some(files) = self.compiled().map_err(failed)? else { return Ok(()) };
        let listed = files.list().map_err(failed)?;
        let abandoned = |file: &&CompiledFile| {
            file.component.is_none() && file.is_file && age(now, file.modified) > limits::DRAFT_ABANDONED.as_secs()
        };
        for draft in listed.iter().filter(abandoned) {
            if !dry_run {
                files.remove(draft).map_err(failed)?;
            }
            removal.drafts = removal.drafts.saturating_add(1);
            removal.freed = ByteSize(removal.freed.0.saturating_add(draft.size));
        }
        Ok(())
    }

    /// Describes all files, the last used first.
    fn all(&self, stored: &[StoreEntry], answers: &[AnswerFile]) -> Result<Vec<CacheEntry>, StoreError> {
        let notes = self.notes()?;
        let mut entries = self.describe(stored, answers, &notes);
        let failed = self.failed("list its compiled code");
        let compiled = self.compiled().and_then(|files| files.map_or(Ok(Vec::new()), |files| files.list()));
        entries.extend(compiled.map_err(failed)?.iter().filter_map(CompiledFile::entry));
        let failed = self.failed("list its unpacked bundles");
        let trees = self.trees().and_then(|trees| trees.map_or(Ok(Vec::new()), |trees| trees.list()));
        entries.extend(
            trees
                .map_err(failed)?
                .into_iter()
                .map(|tree| {
                    // The files of a tree are those of a bundle, which knows the packages.
                    let packages =
                        entries.iter().find(|entry| entry.digest == tree.digest).map(|entry| entry.packages.clone());
                    CacheEntry { packages: packages.unwrap_or_default(), ..tree }
                })
                .collect::<Vec<_>>(),
        );
        entries.sort_by_key(|entry| (std::cmp::Reverse(entry.last_used), entry.digest));
        Ok(entries)
    }

    fn stored(&self) -> Result<Vec<StoreEntry>, StoreError> {
        self.blobs().list().map_err(self.failed("list its files"))
    }

    fn answers(&self, now: u64) -> Result<Vec<AnswerFile>, StoreError> {
        self.resolutions().all(now).map_err(self.failed("list what registries have answered"))
    }

    fn notes(&self) -> Result<Vec<SourceNote>, StoreError> {
        self.sources().all().map_err(self.failed("list what sources of policies have given"))
    }

    fn describe(&self, stored: &[StoreEntry], answers: &[AnswerFile], notes: &[SourceNote]) -> Vec<CacheEntry> {
        stored
            .iter()
            .filter_map(|file| {
                let digest = file.digest?;
                let named = answers.iter().filter_map(|file| file.answer.as_ref());
                let packages = named.filter(|kept| kept.resolution.has_digest(&digest)).map(|kept| CachedPackage {
                    id: kept.resolution.id.clone(),
                    version: kept.resolution.version.clone(),
                    registry: kept.resolution.registry.clone(),
                    resolved_at: kept.at,
                });
                Some(CacheEntry {
                    digest,
                    kind: match (file.is_file, notes.iter().any(|note| note.names(&digest))) {
                        (false, _) => CacheKind::Foreign,
                        (true, true) => CacheKind::Policy,
                        (true, false) => self.kind(&digest),
                    },
                    size: ByteSize(file.size),
                    last_used: file.modified,
                    packages: packages.collect(),
                })
            })
            .collect()
    }

    fn kind(&self, digest: &Digest) -> CacheKind {
        let mut start = [0; GZIP.len()];
        let read = self.blobs().open(digest).map(|file| file.map(|mut file| file.read_exact(&mut start)));
        match read {
            Ok(Some(Ok(()))) if start == GZIP || start == ZIP => CacheKind::Bundle,
            Ok(_) | Err(_) => CacheKind::Manifest,
        }
    }

    /// Removes the doomed ones of `entries` that are not in use.
    fn remove_all(&self, entries: Vec<CacheEntry>, doomed: &Doomed, dry_run: bool) -> Result<CacheRemoval, StoreError> {
        let failed = self.failed("remove a cached file");
        let mut removal = CacheRemoval::default();
        let files = self.compiled().map_err(failed)?;
        let mut compiled = files.as_ref().map_or(Ok(Vec::new()), CompiledFiles::list).map_err(failed)?;
        let trees = self.trees().map_err(failed)?;
        for entry in entries.into_iter().filter(|entry| doomed.has(entry)) {
            if entry.kind == CacheKind::Tree {
                let removed = trees.as_ref().map_or(Ok(true), |trees| trees.remove(&entry.digest, dry_run));
                if removed.map_err(failed)? {
                    removal.add(entry)
                } else {
                    removal.in_use.push(entry)
                }
                continue;
            }
            if let Some(file) =
                compiled.iter().position(|file| file.is(&entry)).map(|place| compiled.swap_remove(place))
            {
                // A process that runs it has it in memory, so it is never in use.
                match files.as_ref().filter(|_| !dry_run).map_or(Ok(()), |files| files.remove(&file)) {
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => continue,
                    removed => removed.map_err(failed)?,
                }
                removal.add(entry);
                continue;
            }
            // Held until the name is gone: a process that gets the lock afterwards sees that the file has no name.
            let Some(_lock) = self.lock_for_removal(&entry).map_err(failed)? else {
                removal.in_use.push(entry);
                continue;
            };
            if !dry_run {
                match self.blobs().clear(&entry.digest) {
                    // smcp makes no folders there, so this one belongs to the user.
                    Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => continue,
                    cleared => cleared.map_err(failed)?,
                }
            }
            removal.add(entry);
        }
        Ok(removal)
    }

    /// Locks a file for its removal; `None` while a running package has it.
    fn lock_for_removal(&self, entry: &CacheEntry) -> io::Result<Option<RemovalLock>> {
        if entry.kind == CacheKind::Foreign {
            return Ok(Some(RemovalLock(None)));
        }
        let Some(file) = self.blobs().open(&entry.digest)? else { return Ok(Some(RemovalLock(None))) };
        let file = file.into_std();
        Ok(lock::try_lock(&file, Sharing::Exclusive)?.then_some(RemovalLock(Some(file))))
    }

    fn remove_answers(&self, gone: &[AnswerFile], removal: &mut CacheRemoval) -> Result<(), StoreError> {
        for file in gone {
            let failed = self.failed("remove what a registry has answered");
            self.resolutions().remove(file).map_err(failed)?;
            removal.answers = removal.answers.saturating_add(1);
        }
        Ok(())
    }

    /// Removes the answers that are useless now: those that can't be trusted, and those about removed files.
    fn remove_orphans(
        &self,
        mut answers: Vec<AnswerFile>,
        removal: &mut CacheRemoval,
        dry_run: bool,
    ) -> Result<(), StoreError> {
        // A tree is made of its bundle again, which has the same digest.
        let gone: Vec<Digest> =
            removal.removed.iter().filter(|entry| entry.kind != CacheKind::Tree).map(|entry| entry.digest).collect();
        answers.retain(|file| {
            file.answer.as_ref().is_none_or(|kept| gone.iter().any(|digest| kept.resolution.has_digest(digest)))
        });
        if dry_run {
            removal.answers = removal.answers.saturating_add(answers.len());
            return Ok(());
        }
        for note in self.notes()?.iter().filter(|note| removal.removed.iter().any(|entry| note.names(&entry.digest))) {
            self.sources().remove(note).map_err(self.failed("remove a note about a source of policies"))?;
        }
        self.remove_answers(&answers, removal)
    }
}

/// The right to remove a file, with its exclusive lock. What is not a regular file has no lock.
struct RemovalLock(#[expect(dead_code, reason = "held for its lock")] Option<std::fs::File>);

fn is_named(digest: &Digest, answers: &[AnswerFile]) -> bool {
    answers.iter().filter_map(|file| file.answer.as_ref()).any(|kept| kept.resolution.has_digest(digest))
}

fn label(target: &CacheTarget) -> String {
    match target {
        CacheTarget::Digest(prefix) => format!("sha256:{prefix}"),
        CacheTarget::Package(id, None) => id.to_string(),
        CacheTarget::Package(id, Some(version)) => format!("{id}@{version}"),
    }
}

/// Finds the only digest that begins with `prefix`.
fn digest_with_prefix(prefix: &str, entries: &[CacheEntry]) -> Result<Digest, RemovalTargetError> {
    let matches = entries.iter().map(|entry| entry.digest).filter(|digest| digest.hex().starts_with(prefix));
    // Code for several engines has the digest of one component.
    let distinct: BTreeSet<Digest> = matches.collect();
    let mut matches = distinct.into_iter();
    match (matches.next(), matches.next()) {
        (Some(digest), None) => Ok(digest),
        (Some(_), Some(_)) => Err(RemovalTargetError::AmbiguousPrefix { prefix: prefix.to_owned() }),
        (None, _) => Err(RemovalTargetError::NotCached { target: format!("sha256:{prefix}") }),
    }
}

/// What is to be removed. With a bundle goes its tree.
#[derive(Debug, Default)]
struct Doomed {
    files: HashSet<Digest>,
    /// Trees whose bundles may stay.
    trees: HashSet<Digest>,
}

impl Doomed {
    fn has(&self, entry: &CacheEntry) -> bool {
        let is_tree = entry.kind == CacheKind::Tree && self.trees.contains(&entry.digest);
        is_tree || self.files.contains(&entry.digest)
    }

    fn add(&mut self, entry: &CacheEntry) {
        let of_its_kind = if entry.kind == CacheKind::Tree { &mut self.trees } else { &mut self.files };
        of_its_kind.insert(entry.digest);
    }
}

/// What [`Cache::collect`] removes.
fn doomed(entries: &[CacheEntry], rules: &CacheRules, now: u64) -> Doomed {
    let bundles: HashSet<Digest> =
        entries.iter().filter(|entry| entry.kind == CacheKind::Bundle).map(|entry| entry.digest).collect();
    let is_old = |entry: &CacheEntry| rules.older_than.is_some_and(|limit| age(now, entry.last_used) > limit.as_secs());
    let is_unknown = |entry: &CacheEntry| match entry.kind {
        CacheKind::Manifest | CacheKind::Bundle => entry.packages.is_empty(),
        CacheKind::Tree => !bundles.contains(&entry.digest),
        // Whichever policies it belongs to.
        CacheKind::Compiled | CacheKind::Policy => false,
        CacheKind::Foreign => true,
    };
    let mut doomed = Doomed::default();
    entries.iter().filter(|entry| is_old(entry) || is_unknown(entry)).for_each(|entry| doomed.add(entry));
    if let Some(ByteSize(most)) = rules.max_size {
        let mut left: u64 = 0;
        // The entries come newest first: as many stay as fit.
        for entry in entries {
            if doomed.has(entry) {
                continue;
            }
            left = left.saturating_add(entry.size.0);
            if left > most {
                doomed.add(entry);
            }
        }
    }
    doomed
}

/// How many seconds have passed since `at`; 0 when it is in the future.
const fn age(now: u64, at: u64) -> u64 {
    now.saturating_sub(at)
}

#[cfg(test)]
mod tests;
