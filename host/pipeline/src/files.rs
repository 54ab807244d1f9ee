//! The files that a server starts in: its bundle, unpacked now or earlier.
//!
//! A kept tree that is not what was unpacked is no reason to refuse: the bundle is there, and is unpacked again.

use crate::Audience;
use crate::PipelineError;
use crate::Session;
use smcp_bundle as bundle;
use smcp_bundle::BundleFolders;
use smcp_bundle::TreeFound;
use smcp_bundle::Unpacked;
use smcp_decide::Notice;
use smcp_model::deadline::Deadline;
use smcp_model::package::ResolvedPackage;
use smcp_model::progress::Progress;
use smcp_model::text::SafeText;

/// Returns the files of a package: those of an earlier start when they are whole, else unpacked now, and kept if they can be.
///
/// # Errors
/// When they can't be unpacked, or the deadline or an interruption ends it.
pub(super) fn files(
    session: &Session,
    package: &ResolvedPackage,
    deadline: &Deadline,
    interrupted: &dyn Fn() -> bool,
    progress: &mut dyn Progress,
    audience: &mut dyn Audience,
) -> Result<Unpacked, PipelineError> {
    let cache = session.cache()?;
    if package.manifest.workdir_writable {
        let run = session.run_folder(true)?;
        return Ok(bundle::unpack(cache, run, package, BundleFolders::Writable, deadline, interrupted, progress)?);
    }
    if let Some(kept) = session.trees(false)? {
        match bundle::kept(kept.keeper(), &package.bundle_digest, deadline, interrupted)? {
            TreeFound::Whole(unpacked) => {
                cache.sweep();
                return Ok(unpacked);
            }
            TreeFound::Absent => {}
            TreeFound::Changed(what) => audience.notice(&changed_note(&what)),
        }
    }
    let run = session.run_folder(true)?;
    let kept = session.trees(true)?;
    let folders = BundleFolders::ReadOnly(kept.as_ref().map(|kept| kept.keeper()));
    Ok(bundle::unpack(cache, run, package, folders, deadline, interrupted, progress)?)
}

/// Returns the notice that a kept tree is not what was unpacked.
fn changed_note(what: &SafeText) -> Notice {
    let message =
        format!("the unpacked bundle of an earlier start was changed and is not used, it is unpacked again: {what}");
    Notice { code: "tree-changed", message: SafeText::new(&message) }
}
