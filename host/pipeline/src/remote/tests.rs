//! Sources that answer, move, lie and fall silent, and what counts then.

use std::cell::Cell;
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;

use super::*;
use smcp_model::deadline::Deadline;
use smcp_model::ownership::Caller;
use smcp_model::policy::PolicySource;
use smcp_model::policy::PolicySpec;
use smcp_model::signer::Demand;
use smcp_model::signer::SignedBy;
use smcp_model::signer::Signer;
use smcp_signature::SignerFileError;
use smcp_signature::minisign;
use smcp_signature::secret_key::SecretKey;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const NOW: u64 = 1_800_000_000;

/// A server that gives what it was told to.
struct Given {
    gives: RefCell<Box<dyn Fn() -> Result<Arrived, OciError>>>,
    asked: Cell<usize>,
    /// The time that the last question had.
    patience: Cell<Option<Duration>>,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Given({:?})", self.asked)
    }
}

impl SourceServer for Given {
    fn fetch(
        &self,
        _: &RemoteAddress,
        _: &PolicySpec,
        _: &[SignatureForm],
        _: &dyn Fn(&Digest) -> Option<Vec<u8>>,
        deadline: &Deadline,
    ) -> Result<Arrived, OciError> {
        self.patience.set(deadline.remaining());
        self.asked.set(self.asked.get() + 1);
        self.gives.borrow()()
    }
}

/// A cache, a server, a clock, and who must have signed.
struct Scene {
    _temp: TempDir,
    cache: Cache,
    server: Given,
    rule: Option<LoadedRule>,
    now: u64,
}

impl Scene {
    #[expect(clippy::disallowed_methods, reason = "a test opens its own folder")]
    fn new(gives: &'static [u8]) -> Self {
        let temp = TempDir::new().unwrap();
        let path = temp.path().canonicalize().unwrap();
        let dir = Dir::open_ambient_dir(&path, ambient_authority()).unwrap();
        let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&path).unwrap());
        let cache = Cache::new(dir, &path, Caller::new(uid, || None)).unwrap();
        let server = Given {
            gives: RefCell::new(Box::new(move || Ok(arrived(gives)))),
            asked: Cell::new(0),
            patience: Cell::new(None),
        };
        Self { _temp: temp, cache, server, rule: None, now: NOW }
    }

    fn gives(&self, gives: impl Fn() -> Result<Arrived, OciError> + 'static) {
        *self.server.gives.borrow_mut() = Box::new(gives);
    }

    fn obtain(&self, spec: &PolicySpec, eagerness: Eagerness) -> Result<Obtained, SourceFailure> {
        let PolicySource::Remote(source) = &spec.source else { panic!("{spec:?}") };
        let deadline = Deadline::after(Duration::from_secs(HOUR));
        let lookup = Lookup {
            cache: &self.cache,
            now: self.now,
            server: &self.server,
            rule: self.rule.as_ref(),
            deadline: &deadline,
        };
        lookup.obtain(spec, source, eagerness)
    }

    /// What is in force, and how often the server was asked for that.
    fn in_force(&self, spec: &PolicySpec) -> (Vec<u8>, Option<&'static str>, usize) {
        let before = self.server.asked.get();
        let obtained = self.obtain(spec, Eagerness::Needed).unwrap();
        let notice = obtained.notice.map(|notice| notice.code);
        (obtained.bytes, notice, self.server.asked.get() - before)
    }
}

fn arrived(bytes: &[u8]) -> Arrived {
    Arrived {
        digest: Digest::of(bytes),
        component: bytes.to_vec(),
        manifests: Vec::new(),
        signatures: Vec::new(),
        sent: true,
    }
}

fn outage() -> OciError {
    OciError::Broken { what: "it".to_owned(), cause: std::io::ErrorKind::BrokenPipe.into() }
}

fn wrong() -> OciError {
    OciError::Artefact { what: "it".to_owned(), problem: "it has 2 layers".into(), allowed: "one" }
}

fn by_tag() -> PolicySpec {
    let address = RemoteAddress::read("oci://r.example/policies/a:1").unwrap();
    PolicySpec::remote("a".parse().unwrap(), RemoteSource::at(address), serde_json::json!({}))
}

#[test]
fn a_tag_is_asked_for_again_when_its_answer_is_old() {
    let mut scene = Scene::new(b"one");
    let spec = by_tag();
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
    scene.gives(|| Ok(arrived(b"two")));
    scene.now += DAY - 1;
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
    scene.now += 1;
    assert_eq!(scene.in_force(&spec), (b"two".to_vec(), None, 1));
    scene.now += HOUR;
    assert_eq!(scene.in_force(&spec), (b"two".to_vec(), None, 0), "the new answer is as young as it is");
    // Asked for in any case, it is asked for.
    scene.gives(|| Ok(arrived(b"three")));
    assert_eq!(scene.obtain(&spec, Eagerness::Always).unwrap().bytes, b"three");
    assert_eq!(scene.in_force(&spec), (b"three".to_vec(), None, 0));
}

#[test]
fn the_last_good_one_counts_until_it_is_too_old() {
    for give in [outage as fn() -> OciError, wrong] {
        let mut scene = Scene::new(b"one");
        let spec = by_tag();
        scene.in_force(&spec);
        scene.gives(move || Err(give()));
        scene.now += 7 * DAY;
        assert_eq!(scene.in_force(&spec), (b"one".to_vec(), Some(NOT_REFRESHED), 1));
        scene.now += 1;
        let failure = scene.obtain(&spec, Eagerness::Needed).unwrap_err().of(&spec);
        let PipelineError::Source { error, .. } = &failure else { panic!("{failure}") };
        assert_eq!(error.is_wrong(), give().is_wrong(), "{failure}");
        let said = failure.to_string();
        assert!(said.contains("what it gave last is 7days 1s old, and `max_age` is 7days"), "{said}");
        // It is not forgotten by that: the source may come back.
        scene.gives(|| Ok(arrived(b"one")));
        assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
    }
}

#[test]
fn a_start_waits_for_no_source_longer_than_it_may() {
    let mut scene = Scene::new(b"one");
    let spec = by_tag();
    let mut had = |eagerness| {
        scene.obtain(&spec, eagerness).unwrap();
        scene.now += DAY;
        scene.server.patience.get().unwrap()
    };
    assert!(had(Eagerness::Needed) <= limits::oci::PULL_PATIENCE, "it is not there yet");
    assert!(had(Eagerness::Needed) <= limits::oci::REFRESH_PATIENCE, "the last good one could serve");
    assert!(had(Eagerness::Always) > limits::oci::PULL_PATIENCE, "nothing else waits");
}

#[test]
fn whoever_asks_ahead_learns_that_it_failed() {
    let scene = Scene::new(b"one");
    let spec = by_tag();
    scene.in_force(&spec);
    scene.gives(|| Err(outage()));
    assert!(scene.obtain(&spec, Eagerness::Always).is_err());
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
}

#[test]
fn what_a_digest_names_is_never_asked_for_again() {
    let mut scene = Scene::new(b"one");
    let spec = PolicySpec { pin: Some(Digest::of(b"one")), ..by_tag() };
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
    scene.gives(|| Err(outage()));
    scene.now += 3650 * DAY;
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
    assert_eq!(scene.obtain(&spec, Eagerness::Always).unwrap().bytes, b"one");
    // Another source with the same pin needs no server either.
    let address = RemoteAddress::read("https://other.example/a.wasm").unwrap();
    let elsewhere = PolicySpec { source: PolicySource::Remote(RemoteSource::at(address)), ..spec };
    assert_eq!(scene.in_force(&elsewhere), (b"one".to_vec(), None, 0));
}

#[test]
fn what_is_not_the_pinned_one_is_neither_used_nor_kept() {
    let scene = Scene::new(b"two");
    let spec = PolicySpec { pin: Some(Digest::of(b"one")), ..by_tag() };
    assert!(matches!(scene.obtain(&spec, Eagerness::Needed), Err(SourceFailure::Pin(_))));
    assert!(scene.cache.open(&Digest::of(b"two")).unwrap().is_none());
    assert_eq!(scene.cache.sources().of("oci://r.example/policies/a:1", NOW), None);
    // A pin that is added later counts for what is there, too.
    let unpinned = by_tag();
    scene.in_force(&unpinned);
    scene.gives(|| Err(outage()));
    assert!(scene.obtain(&spec, Eagerness::Needed).is_err());
}

#[test]
fn bytes_of_the_cache_that_have_changed_are_fetched_again() {
    let scene = Scene::new(b"one");
    let spec = by_tag();
    scene.in_force(&spec);
    let name = format!("blobs/sha256-{}", Digest::of(b"one").hex());
    let dir = scene._temp.path().join(name);
    #[expect(clippy::disallowed_methods, reason = "a test damages its own cache")]
    std::fs::write(dir, b"evil").unwrap();
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
}

#[test]
fn a_component_that_can_not_be_kept_counts_for_this_start() {
    let scene = Scene::new(b"one");
    let spec = by_tag();
    // What is no folder can hold nothing, for root as well.
    #[expect(clippy::disallowed_methods, reason = "a test damages its own cache")]
    std::fs::write(scene._temp.path().join("sources"), b"no folder").unwrap();
    for _ in 0..2 {
        let obtained = scene.obtain(&spec, Eagerness::Needed).unwrap();
        let notice = obtained.notice.unwrap();
        assert_eq!((obtained.bytes.as_slice(), obtained.is_kept, notice.code), (&b"one"[..], false, FETCHED_EACH_TIME));
        assert!(notice.message.as_str().contains("it can't be kept: "), "{}", notice.message);
    }
    assert_eq!(scene.server.asked.get(), 2);
}

#[test]
fn a_clock_that_was_set_back_makes_no_answer_younger() {
    let mut scene = Scene::new(b"one");
    let spec = by_tag();
    scene.in_force(&spec);
    scene.now -= HOUR;
    // The answer is of the future, so it counts as none.
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
}

/// A chain of manifests: of each, only the digest is believed.
#[test]
fn a_reference_by_digest_is_followed_through_the_cache() {
    let layer = Digest::of(b"one");
    let manifest = |layer: &Digest, size: usize| {
        let document = serde_json::json!({
            "schemaVersion": 2, "mediaType": smcp_oci::IMAGE_MANIFEST,
            "config": {"mediaType": wasm::CONFIG, "digest": Digest::of(b"{}").to_string(), "size": 2},
            "layers": [{"mediaType": wasm::LAYER, "digest": layer.to_string(), "size": size}],
        });
        FetchedManifest::of(document.to_string().into_bytes(), None)
    };
    let named = manifest(&layer, 3);
    let index = serde_json::json!({
        "schemaVersion": 2, "mediaType": smcp_oci::IMAGE_INDEX,
        "manifests": [{"mediaType": smcp_oci::IMAGE_MANIFEST, "digest": named.digest.to_string(), "size": 1,
                       "platform": {"architecture": "wasm", "os": "wasip2"}}],
    });
    let index = FetchedManifest::of(index.to_string().into_bytes(), None);
    for manifests in [vec![named.clone()], vec![index, named]] {
        let address = RemoteAddress::read(&format!("oci://r.example/a@{}", manifests[0].digest)).unwrap();
        let spec = PolicySpec::remote("a".parse().unwrap(), RemoteSource::at(address), serde_json::json!({}));
        let scene = Scene::new(b"");
        scene.gives(move || Ok(Arrived { manifests: manifests.clone(), ..arrived(b"one") }));
        assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
        scene.gives(|| Err(outage()));
        assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
        // With a note that says otherwise, too: it is not asked.
        let note = SourceNote {
            address: spec.source.to_string(),
            component: Digest::of(b"evil"),
            signatures: Vec::new(),
            manifests: Vec::new(),
            at: NOW,
        };
        scene.cache.sources().keep(&note).unwrap();
        assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
    }
}

fn signed(key: &SecretKey, bytes: &'static [u8]) -> Arrived {
    let text = minisign::sign(key, bytes, "timestamp:1");
    Arrived { signatures: vec![server::signature(SignatureForm::Minisign, text.into_bytes())], ..arrived(bytes) }
}

fn by(key: &SecretKey) -> LoadedRule {
    let rule = SignedBy::new(vec![Demand::One(Signer::Minisign(key.public()))]).unwrap();
    LoadedRule::load::<SignerFileError>(&rule, &mut |_, _| panic!("a minisign key is no file")).unwrap()
}

#[test]
fn a_tag_that_moves_to_what_nobody_signed_changes_nothing_until_the_last_good_one_is_too_old() {
    let key = Rc::new(SecretKey::generate().unwrap());
    let mut scene = Scene::new(b"one");
    scene.rule = Some(by(&key));
    let spec = by_tag();
    let first = scene.obtain(&spec, Eagerness::Needed).unwrap_err();
    assert!(matches!(first, SourceFailure::Signature(_)), "{first}");
    assert!(scene.cache.open(&Digest::of(b"one")).unwrap().is_none(), "it was not kept");
    let ours = Rc::clone(&key);
    scene.gives(move || Ok(signed(&ours, b"one")));
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 1));
    let other = SecretKey::generate().unwrap();
    for give in [None, Some(other)] {
        scene.gives(move || Ok(give.as_ref().map_or_else(|| arrived(b"two"), |other| signed(other, b"two"))));
        scene.now += DAY;
        assert_eq!(scene.in_force(&spec), (b"one".to_vec(), Some(NOT_REFRESHED), 1));
    }
    scene.now += 6 * DAY;
    let last = scene.obtain(&spec, Eagerness::Needed).unwrap_err().of(&spec);
    assert_eq!(last.exit_kind(), ExitKind::Integrity, "{last}");
    scene.gives(move || Ok(signed(&key, b"two")));
    assert_eq!(scene.in_force(&spec), (b"two".to_vec(), None, 1));
}

/// Without a network, what is not signed by whom the configuration names now is refused, however good it was.
#[test]
fn the_cache_is_held_against_the_rule_of_today() {
    let (old, new) = (Rc::new(SecretKey::generate().unwrap()), SecretKey::generate().unwrap());
    let mut scene = Scene::new(b"one");
    let spec = PolicySpec { pin: Some(Digest::of(b"one")), ..by_tag() };
    let key = Rc::clone(&old);
    scene.gives(move || Ok(signed(&key, b"one")));
    scene.rule = Some(by(&old));
    scene.in_force(&spec);
    scene.gives(|| Err(outage()));
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
    scene.rule = Some(by(&new));
    let failure = scene.obtain(&spec, Eagerness::Needed).unwrap_err();
    assert!(matches!(failure, SourceFailure::Signature(_)), "{failure}");
    scene.rule = Some(by(&old));
    assert_eq!(scene.in_force(&spec), (b"one".to_vec(), None, 0));
}
