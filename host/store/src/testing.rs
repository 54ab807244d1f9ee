//! Shared by this crate's tests: a cache in a temporary folder.

use crate::Cache;
use smcp_bed::Bed;
use smcp_bed::caller;

/// A [`Bed`] with the folder `cache`, and the cache in it.
pub(crate) trait CacheBed {
    fn cache(&self) -> Cache;
}

impl CacheBed for Bed {
    fn cache(&self) -> Cache {
        Cache::new(self.root.open_dir("cache").unwrap(), &self.path("cache"), caller()).unwrap()
    }
}
