//! Compiled files: what is written is read back, and whatever else is not.

use std::io::Read as _;
use std::sync::LazyLock;

use cap_std::fs::File;
use proptest::prelude::*;

use super::*;
use smcp_model::deadline::Deadline;
use smcp_policy::CompileOrder;
use smcp_policy::Compiler as _;
use smcp_policy::InProcess;

const SCORE: &[u8] = include_bytes!("../../../../builtin-policies/dist/score.wasm");
const KEY: MacKey = MacKey([7; 32]);
const NOTES_TEXT: &str = "{\"settings\":{}}";

static WASM: LazyLock<Digest> = LazyLock::new(|| Digest::of(SCORE));
static MADE_BY: LazyLock<Digest> = LazyLock::new(|| Digest::of(b"engine"));

static KEPT: LazyLock<Kept> = LazyLock::new(|| {
    let order = CompileOrder { component: SCORE, digest: *WASM, deadline: Deadline::none() };
    Kept { code: Some(InProcess.compile(&order).unwrap()), notes: NOTES_TEXT.into() }
});

/// A whole file.
static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| written(&KEPT));

fn written(kept: &Kept) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, KEY, &WASM, &MADE_BY, kept).unwrap();
    bytes
}

fn read_as(bytes: &[u8], key: MacKey, component: &Digest, engine: &Digest) -> Result<Kept, UnfitEntry> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let length = u64::try_from(bytes.len()).unwrap();
    read(&File::from_std(file), length, key, component, engine).unwrap()
}

fn unfit(bytes: &[u8]) -> Option<UnfitEntry> {
    read_as(bytes, KEY, &WASM, &MADE_BY).err()
}

/// The same bytes, with a MAC that fits.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let mac = blake3::Hasher::new_keyed(&KEY.0).update(&bytes[COMPONENT..]).finalize();
    bytes[MAC..COMPONENT].copy_from_slice(mac.as_bytes());
    bytes
}

#[test]
fn what_was_written_is_read_back() {
    let read = read_as(&WHOLE, KEY, &WASM, &MADE_BY).unwrap();
    let (found, expected) = (read.code.unwrap(), KEPT.code.as_ref().unwrap());
    assert!(found.as_bytes() == expected.as_bytes());
    assert!(found.as_bytes().as_ptr().addr().is_multiple_of(PAGE), "code runs where it lies, so it begins at a page");
    assert_eq!(&*read.notes, NOTES_TEXT);
    let refused = Kept { code: None, notes: "{\"refused\":{}}".into() };
    let read = read_as(&written(&refused), KEY, &WASM, &MADE_BY).unwrap();
    assert!(read.code.is_none());
    assert_eq!(read.notes, refused.notes);
}

#[test]
fn a_file_of_another_key_component_or_engine_is_not_used() {
    let other = Digest::of(b"other");
    let cases = [
        (read_as(&WHOLE, MacKey([8; 32]), &WASM, &MADE_BY), UnfitEntry::Mac),
        (read_as(&WHOLE, OF_THE_SYSTEM, &WASM, &MADE_BY), UnfitEntry::Mac),
        (read_as(&WHOLE, KEY, &other, &MADE_BY), UnfitEntry::Another),
        (read_as(&WHOLE, KEY, &WASM, &other), UnfitEntry::Another),
    ];
    for (read, expected) in cases {
        assert_eq!(read.unwrap_err(), expected);
    }
}

/// Every byte of the head and the notes, and one of each 61 of the padding and the code.
#[test]
fn a_byte_that_was_changed_is_found_wherever_it_is() {
    let head = 0..NOTES + NOTES_TEXT.len();
    let rest = (head.end..WHOLE.len()).step_by(61);
    for place in head.chain(rest).chain([WHOLE.len() - 1]) {
        let mut bytes = WHOLE.clone();
        bytes[place] ^= 0x40;
        let expected = if place < MAC { UnfitEntry::Magic } else { UnfitEntry::Mac };
        assert_eq!(unfit(&bytes), Some(expected), "byte {place}");
    }
}

#[test]
fn a_file_that_is_cut_off_or_longer_is_not_used() {
    for length in (0..NOTES + 2).chain([PAGE - 1, PAGE, PAGE + 1, WHOLE.len() / 2, WHOLE.len() - 1]) {
        let expected = if length < NOTES { UnfitEntry::Length } else { UnfitEntry::Mac };
        assert_eq!(unfit(&WHOLE[..length]), Some(expected), "{length} bytes");
    }
    for more in [&[0][..], &[0; PAGE], &WHOLE] {
        assert_eq!(unfit(&[&WHOLE[..], more].concat()), Some(UnfitEntry::Mac), "{} more", more.len());
    }
}

/// Whoever has the key can say anything; the reader still reads nothing outside.
#[test]
fn lengths_are_compared_with_the_file() {
    for (notes, code) in [
        (u64::MAX, 0),
        (0, u64::MAX),
        (u64::MAX, u64::MAX),
        (1 << 63, 1 << 63),
        (0, 0),
        (0, 1),
        (u64::try_from(WHOLE.len()).unwrap(), 0),
        (u64::try_from(NOTES_TEXT.len()).unwrap(), 0),
    ] {
        let mut bytes = WHOLE.clone();
        bytes[LENGTHS..LENGTHS + 8].copy_from_slice(&notes.to_le_bytes());
        bytes[LENGTHS + 8..NOTES].copy_from_slice(&code.to_le_bytes());
        assert_eq!(unfit(&sealed(bytes)), Some(UnfitEntry::Length), "{notes} {code}");
    }
    let mut bytes = WHOLE.clone();
    bytes[NOTES] = 0xff;
    assert_eq!(unfit(&sealed(bytes)), Some(UnfitEntry::Notes));
}

/// What could not be read again is not written.
#[test]
fn notes_are_bounded() {
    let kept = Kept { code: None, notes: "x".repeat(compiling::KEPT_NOTES + 1).into() };
    let refused = write(&mut Vec::new(), KEY, &WASM, &MADE_BY, &kept).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::FileTooLarge);
    assert!(unfit(&written(&Kept { notes: "x".repeat(compiling::KEPT_NOTES).into(), ..kept })).is_none());
}

/// A mapping that was checked stays as it was when its file gets another one in its place.
#[test]
fn a_file_that_is_replaced_changes_no_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let dir = cap_std::fs::Dir::open_ambient_dir(folder.path(), cap_std::ambient_authority()).unwrap();
    dir.write("file", &*WHOLE).unwrap();
    let length = u64::try_from(WHOLE.len()).unwrap();
    let read = read(&dir.open("file").unwrap(), length, KEY, &WASM, &MADE_BY).unwrap().unwrap();
    dir.write("other", vec![0; WHOLE.len()]).unwrap();
    dir.rename("other", &dir, "file").unwrap();
    let mut first = [1];
    dir.open("file").unwrap().read_exact(&mut first).unwrap();
    assert_eq!(first, [0]);
    assert!(read.code.unwrap().as_bytes() == KEPT.code.as_ref().unwrap().as_bytes());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Several changes at once, and a new end.
    #[test]
    fn only_the_whole_file_is_one(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        end in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = WHOLE.clone();
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        prop_assert_eq!(unfit(&bytes).is_none(), bytes == *WHOLE);
    }

    /// Nothing that is written with the key makes the reader panic or read outside.
    #[test]
    fn a_sealed_file_is_taken_apart_safely(bytes in prop::collection::vec(any::<u8>(), NOTES..3 * PAGE)) {
        let mut bytes = bytes;
        bytes[..MAC].copy_from_slice(&MAGIC);
        bytes[COMPONENT..ENGINE].copy_from_slice(WASM.as_bytes());
        bytes[ENGINE..LENGTHS].copy_from_slice(MADE_BY.as_bytes());
        prop_assert!(unfit(&sealed(bytes)).is_some());
    }
}
