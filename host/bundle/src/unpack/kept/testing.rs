//! Shared by tests of kept trees: a seal, and a bundle that was kept.

use super::*;
use crate::unpack::extract;
use crate::unpack::settle;
use smcp_bed::Bed;
use smcp_bed::caller;
use smcp_store::Cache;
use smcp_store::Seal;
use smcp_store::Trees;

/// A seal by a key of one byte.
#[derive(Debug)]
pub(in crate::unpack) struct TestSeal(pub(in crate::unpack) u8);

impl Seal for TestSeal {
    fn seal(&self, bytes: &[u8]) -> [u8; 32] {
        *Digest::of(&[&[self.0], bytes].concat()).as_bytes()
    }

    fn is_sealed(&self, bytes: &[u8], seal: &[u8; 32]) -> bool {
        self.seal(bytes) == *seal
    }
}

/// A cache, and a bundle for it.
#[derive(Debug)]
pub(super) struct TreeBed {
    pub(super) bed: Bed,
    pub(super) cache: Cache,
    pub(super) trees: Trees,
    pub(super) seal: TestSeal,
    pub(super) bundle: Vec<u8>,
}

impl TreeBed {
    pub(super) fn with(bundle: Vec<u8>) -> Self {
        let bed = Bed::with(["cache"]);
        let cache = Cache::new(bed.root.open_dir("cache").unwrap(), &bed.path("cache"), caller()).unwrap();
        let trees = cache.make_trees().unwrap();
        Self { bed, cache, trees, seal: TestSeal(7), bundle }
    }

    pub(super) fn digest(&self) -> Digest {
        Digest::of(&self.bundle)
    }

    /// The path of the tree, below the bed.
    pub(super) fn tree(&self) -> String {
        format!("cache/trees/sha256-{}", self.digest().hex())
    }

    pub(super) fn keeper(&self) -> Keeper<'_> {
        Keeper { trees: &self.trees, seal: &self.seal }
    }

    /// Unpacks the bundle as a start does.
    pub(super) fn unpack(&self) -> Unpacked {
        let folder = self.cache.runs().unwrap().folder().unwrap();
        let opened = folder.open().unwrap();
        let index = extract::extract(self.bundle.as_slice(), &opened, &Deadline::none()).unwrap();
        let place = settle(folder, &opened, &index, &self.digest(), Some(self.keeper())).unwrap();
        Unpacked::at(place, opened, Contents::of(&index)).unwrap()
    }

    pub(super) fn kept(&self) -> TreeFound {
        kept(self.keeper(), &self.digest(), &Deadline::none(), &|| false).unwrap()
    }

    /// What was noticed first.
    pub(super) fn change(&self) -> Option<String> {
        match self.kept() {
            TreeFound::Whole(_) => None,
            TreeFound::Absent => Some("absent".to_owned()),
            TreeFound::Changed(what) => Some(what.to_string()),
        }
    }
}
