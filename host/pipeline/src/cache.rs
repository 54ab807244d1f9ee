//! Housekeeping: lists what is in the cache, and removes it.
//!
//! A launch does not use this file.

use crate::PipelineError;
use crate::Session;
use smcp_model::cache::CacheEntry;
use smcp_model::cache::CacheRemoval;
use smcp_model::cache::CacheRules;
use smcp_model::cache::CacheTarget;
use smcp_model::text::SafeText;
use smcp_registry::PackageError;

/// Returns every file in the cache, the last used first.
///
/// # Errors
/// When the cache can't be opened or listed.
pub fn list_cache(session: &Session) -> Result<Vec<CacheEntry>, PipelineError> {
    Ok(session.cache()?.entries(session.system().now())?)
}

/// Returns why unpacked bundles can't stay for further starts; `None` when they can, or where each start unpacks by
/// configuration.
///
/// # Errors
/// When the cache can't be used.
pub fn try_trees(session: &Session) -> Result<Option<SafeText>, PipelineError> {
    let not_kept = |error: std::io::Error| SafeText::new(&error.to_string());
    let is_elsewhere = session.config().runtime_dir().is_some();
    Ok(if is_elsewhere { None } else { session.open_trees(true)?.err().map(not_kept) })
}

/// Tries to write a file to the cache, and to make the folder of a run; leaves neither. Returns a warning when the
/// cache can only be read (what is in it can run all the same), or when no program can be started in that folder.
///
/// # Errors
/// Those that a run would get there.
pub fn try_cache(session: &Session) -> Result<Option<String>, PipelineError> {
    let cache = session.cache()?;
    let written = cache.try_out();
    let folder = session.run_folder(false)?;
    folder.try_out()?;
    let noexec = folder.is_noexec().then(|| {
        format!(
            "{} is on a file system mounted noexec: programs of a bundle can't be started there (`runtime_dir`)",
            folder.path().parent().unwrap_or(folder.path()).display()
        )
    });
    match written {
        Err(error) if error.is_read_only() && cache.has_packages() => Ok(Some(PackageError::from(error).sentence())),
        written => Ok(written.map(|()| noexec)?),
    }
}

/// Removes what `targets` name from the cache; everything when the list is empty.
///
/// # Errors
/// When the cache has no such file, or it can't be removed.
pub fn remove_from_cache(session: &Session, targets: &[CacheTarget]) -> Result<CacheRemoval, PipelineError> {
    let cache = session.cache()?;
    let now = session.system().now();
    Ok(if targets.is_empty() { cache.remove_everything(now)? } else { cache.remove_targets(targets, now)? })
}

/// Removes from the cache unfinished downloads, files that no package has, and what `rules` select. With `dry_run`,
/// only returns what would be removed.
///
/// # Errors
/// When something can't be removed.
pub fn collect_garbage(session: &Session, rules: &CacheRules, dry_run: bool) -> Result<CacheRemoval, PipelineError> {
    let cache = session.cache()?;
    if !dry_run {
        session.sweep_elsewhere();
    }
    Ok(cache.collect(rules, session.system().now(), dry_run)?)
}
