//! Limits of registries of images, and of policies that are elsewhere.

use std::time::Duration;

use super::KIB;
use super::MIB;

/// A manifest, an index or a page of referrers, bytes: as much as registries have to accept.
pub const MANIFEST: usize = 4 * MIB;
/// One path of a repository, bytes: with the host, other tools take 255.
pub const REPOSITORY: usize = 255;
/// A tag, bytes: the specification's own limit.
pub const TAG: usize = 128;
/// The answer of a token service, bytes: a token and a few words.
pub const GRANT: usize = 64 * KIB;
/// Pages of referrers that are read: more than anybody signs one artefact.
pub const REFERRER_PAGES: usize = 10;
/// Referrers whose kind a list does not say, and whose own manifest is asked for it: as many as statements of a version.
pub const REFERRERS_LOOKED_AT: usize = 64;
/// Parts of something that refers to an artefact: a statement and its signature are two.
pub const REFERRER_PARTS: usize = 4;
/// Tags or repositories that are asked for at once: registries that give fewer say where they go on.
pub const LISTED_AT_ONCE: usize = 1_000;
/// Pages of tags or repositories that are read: registries that give a hundred at once have as many.
pub const LIST_PAGES: usize = 1_000;
/// Tags of a package, or repositories of a registry, that are read: more than a company's registry has.
pub const LISTED: usize = 100_000;
/// Versions, the highest first, in which the digest of a bundle is looked for: as many questions.
pub const DIGEST_VERSIONS: usize = 256;
/// The time for a list of packages: a question for each.
pub const LIST: Duration = Duration::from_secs(10 * 60);
/// A blob that is sent in one request, bytes; a longer one goes in pieces of this size, since servers and proxies before
/// registries often take no longer body.
pub const PIECE: usize = 8 * MIB;
/// The largest piece that a registry can ask for, bytes: the largest component.
pub const PIECE_CEILING: usize = 64 * MIB;
/// The file in which docker keeps log-ins, bytes.
pub const DOCKER_CONFIG: usize = MIB;
/// The answer of a credential helper, bytes: a name and a token.
pub const HELPER_ANSWER: usize = 64 * KIB;
/// The time that a credential helper has: it may ask a keyring, or a cloud.
pub const HELPER: Duration = Duration::from_secs(10);
/// The longest time between two looks whether a credential helper that has answered has ended.
pub const HELPER_PAUSE: Duration = Duration::from_millis(50);
/// The time for asking what a tag points to now, when the last good answer could serve: nobody notices it at a start.
pub const REFRESH_PATIENCE: Duration = Duration::from_secs(2);
/// The longest wait for a policy that is not in the cache, half of the deadline when that is less: the other policies
/// are evaluated in any case.
pub const PULL_PATIENCE: Duration = Duration::from_secs(30);
/// The time for getting one policy ahead: the largest component over a slow line.
pub const PULL_AHEAD: Duration = Duration::from_secs(10 * 60);
/// The time for putting one there: as much.
pub const PUSH: Duration = PULL_AHEAD;
/// `refresh` by default: a tag that moved is in force on the next day.
pub const REFRESH_DEFAULT: Duration = Duration::from_secs(24 * 60 * 60);
/// `max_age` by default: a week of outage, holidays included.
pub const MAX_AGE_DEFAULT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// `refresh` and `max_age`, at most.
pub const AGE_CEILING: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// A kept note of what a source gave, bytes.
pub const NOTE: usize = 64 * KIB;
/// Notes that are looked at for a list of the cache: as many as policies of four layers.
pub const NOTES_READ: usize = 4096;
