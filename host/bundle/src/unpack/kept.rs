//! Takes the kept tree of a bundle, if it is what was unpacked.
//!
//! What is not, is never an error: the caller unpacks the bundle again. Nothing of the tree has run until then.

use crate::error::UnpackError;
use crate::unpack::Keeper;
use crate::unpack::UnpackPlace;
use crate::unpack::Unpacked;
use crate::unpack::check;
use crate::unpack::check::CheckFailure;
use crate::unpack::index::Index;
use crate::unpack::left::Contents;
use smcp_model::deadline::Deadline;
use smcp_model::digest::Digest;
use smcp_model::text::SafeText;
use smcp_store::KeptTree;
use smcp_store::StoreError;

/// What is there of a bundle that was unpacked earlier.
#[derive(Debug)]
pub enum TreeFound {
    /// All of it, checked.
    Whole(Unpacked),
    /// Nothing, or nothing that can be had now.
    Absent,
    /// Something else. The text says what was noticed first.
    Changed(SafeText),
}

/// Opens the kept tree of a bundle, and compares all of it with its index.
///
/// # Errors
/// When the deadline or an interruption ends it.
pub fn kept(
    keeper: Keeper<'_>,
    bundle: &Digest,
    deadline: &Deadline,
    interrupted: &dyn Fn() -> bool,
) -> Result<TreeFound, UnpackError> {
    let unreadable = |error: std::io::Error| TreeFound::Changed(SafeText::new(&error.to_string()));
    let tree = match keeper.trees.open(bundle) {
        Ok(Some(tree)) => tree,
        Ok(None) => return Ok(TreeFound::Absent),
        Err(error) => return Ok(unreadable(error)),
    };
    let index = match opened(&tree, bundle, keeper) {
        Ok(index) => index,
        Err(changed) => return Ok(TreeFound::Changed(changed)),
    };
    match check::check(tree.root(), &index, keeper.trees.owner(), deadline, interrupted) {
        Err(CheckFailure::Changed(what)) => return Ok(TreeFound::Changed(what)),
        Err(CheckFailure::Halted(halted)) => return Err(StoreError::from(halted).into()),
        Ok(()) => {}
    }
    let contents = Contents::of(&index);
    let folder = tree.root().try_clone();
    Ok(folder
        .and_then(|folder| Unpacked::at(UnpackPlace::Tree(tree), folder, contents))
        .map_or_else(unreadable, TreeFound::Whole))
}

fn opened(tree: &KeptTree, bundle: &Digest, keeper: Keeper<'_>) -> Result<Index, SafeText> {
    let bytes = tree.index().map_err(|error| SafeText::new(&error.to_string()))?;
    let index = Index::open(&bytes, bundle, keeper.seal);
    index.ok_or_else(|| SafeText::new("its index is not the one that smcp wrote"))
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
