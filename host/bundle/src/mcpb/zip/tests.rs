//! Archives that say one thing, and archives that say two.

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

/// One entry, as it stands in the directory and before its contents.
#[derive(Clone)]
struct Part {
    name: Vec<u8>,
    data: Vec<u8>,
    packed: Vec<u8>,
    method: u16,
    flags: u16,
    made_by: u8,
    attributes: u32,
    further: Vec<u8>,
    /// What stands behind the contents.
    behind: Vec<u8>,
    sums_before: bool,
}

impl Part {
    fn stored(name: &str, data: &str) -> Self {
        let data = data.as_bytes().to_vec();
        let (name, packed) = (name.as_bytes().to_vec(), data.clone());
        let attributes = 0o100_644 << 16;
        Self {
            name,
            data,
            packed,
            method: 0,
            flags: UTF8,
            made_by: 3,
            attributes,
            further: Vec::new(),
            behind: Vec::new(),
            sums_before: true,
        }
    }

    fn deflated(name: &str, data: &str) -> Self {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        std::io::Write::write_all(&mut encoder, data.as_bytes()).unwrap();
        Self { packed: encoder.finish().unwrap(), method: 8, ..Self::stored(name, data) }
    }

    fn folder(name: &str) -> Self {
        Self { attributes: 0o040_755 << 16, ..Self::stored(name, "") }
    }

    /// With its sums behind its contents, and a mark before them or not.
    fn streamed(self, marked: bool) -> Self {
        let mut behind = if marked { DESCRIPTOR.to_vec() } else { Vec::new() };
        behind.extend(self.sums());
        Self { flags: self.flags | SUMS_BEHIND, behind, sums_before: false, ..self }
    }

    fn sums(&self) -> Vec<u8> {
        let mut crc = Crc::new();
        crc.update(&self.data);
        [crc.sum(), self.packed.len() as u32, self.data.len() as u32].iter().flat_map(|sum| sum.to_le_bytes()).collect()
    }

    /// The fields that both places have: flags, method, time and date, sums, lengths of name and further fields.
    fn shared(&self, sums: &[u8]) -> Vec<u8> {
        let mut fields =
            [self.flags, self.method, 0x6000, 0x5a21].iter().flat_map(|field| field.to_le_bytes()).collect::<Vec<_>>();
        fields.extend(sums);
        fields.extend((self.name.len() as u16).to_le_bytes());
        fields.extend((self.further.len() as u16).to_le_bytes());
        fields
    }

    fn local(&self) -> Vec<u8> {
        let sums = if self.sums_before { self.sums() } else { vec![0; 12] };
        [&LOCAL.0[..], &[20, 0], &self.shared(&sums), &self.name, &self.further, &self.packed, &self.behind].concat()
    }

    fn central(&self, start: usize) -> Vec<u8> {
        let end = [0; 6];
        let place = [self.attributes.to_le_bytes(), (start as u32).to_le_bytes()].concat();
        let shared = self.shared(&self.sums());
        [&CENTRAL.0[..], &[20, self.made_by, 20, 0], &shared, &end, &place, &self.name, &self.further].concat()
    }
}

/// The record at the end.
fn end(count: u16, length: usize, start: usize) -> Vec<u8> {
    let counts = [count.to_le_bytes(), count.to_le_bytes()].concat();
    [&END.0[..], &[0; 4], &counts, &(length as u32).to_le_bytes(), &(start as u32).to_le_bytes(), &[0; 2]].concat()
}

fn archive(parts: &[Part]) -> Vec<u8> {
    archive_behind(&[], parts)
}

/// An archive whose places are right, behind other bytes.
fn archive_behind(before: &[u8], parts: &[Part]) -> Vec<u8> {
    let (mut bytes, mut directory) = (before.to_vec(), Vec::new());
    for part in parts {
        directory.extend(part.central(bytes.len()));
        bytes.extend(part.local());
    }
    let start = bytes.len();
    bytes.extend(&directory);
    bytes.extend(end(parts.len() as u16, directory.len(), start));
    bytes
}

/// Unpacks everything.
fn unpacked(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let read = entries(bytes).and_then(|entries| {
        entries.iter().map(|entry| Ok((entry.name.clone(), entry.contents()?))).collect::<Result<Vec<_>, McpbError>>()
    });
    read.map_err(|error| error.to_string())
}

fn honest() -> Vec<Part> {
    vec![Part::stored("a", "one"), Part::deflated("f/b", "two two two two"), Part::folder("g/")]
}

#[test]
fn honest_archives_of_every_tool_are_read() {
    let time = [0x55, 0x54, 5, 0, 3, 0, 0, 0, 0].to_vec();
    let dos = Part { made_by: 0, attributes: 0x20, flags: 0, ..Part::deflated("a", "one") };
    let dos_folder = Part { made_by: 0, attributes: DOS_DIRECTORY, flags: 0, ..Part::folder("g/") };
    let expected = [("a", "one"), ("f/b", "two two two two"), ("g", "")];
    let expected: Vec<_> = expected.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec())).into();
    assert_eq!(unpacked(&archive(&honest())).unwrap(), expected);
    for parts in [
        vec![dos],
        vec![dos_folder],
        vec![Part { further: time, ..Part::stored("a", "one") }],
        vec![Part::deflated("a", "one").streamed(true), Part::stored("b", "").streamed(false)],
        vec![Part::stored("é", "one")],
        vec![Part::deflated("empty", "")],
        vec![],
    ] {
        assert_eq!(unpacked(&archive(&parts)).unwrap().len(), parts.len());
    }
    let program = Part { attributes: 0o100_755 << 16, ..Part::stored("run", "x") };
    let programs = archive(&[program.clone(), Part { made_by: 0, ..program }.named("other")]);
    let programs = entries(&programs).unwrap();
    assert_eq!(programs.iter().map(|entry| entry.is_executable).collect::<Vec<_>>(), [true, false]);
}

impl Part {
    fn named(self, name: &str) -> Self {
        Self { name: name.as_bytes().to_vec(), ..self }
    }
}

#[test]
fn entries_that_two_readers_could_read_in_two_ways_are_refused() {
    let (a, b) = (Part::stored("a", "one"), Part::deflated("b", "two two"));
    let with = |part: Part| vec![a.clone(), part];
    let further = |kind: u16, data: &[u8]| [&kind.to_le_bytes()[..], &(data.len() as u16).to_le_bytes(), data].concat();
    let mode = |mode: u32| Part { attributes: mode << 16, ..b.clone() };
    let long = "x/".repeat(200) + "x";
    for (what, parts) in [
        ("stands there twice", with(a.clone())),
        ("capital letters", with(a.clone().named("A"))),
        ("capital letters", vec![a.clone().named("f/x"), a.clone().named("F/y")]),
        ("capital letters", vec![a.clone().named("é"), a.clone().named("É")]),
        ("is a file and a folder", with(a.clone().named("a/x"))),
        ("is a file and a folder", vec![a.clone().named("f/x"), a.clone().named("f")]),
        ("leads elsewhere", with(a.clone().named("../x"))),
        ("leads elsewhere", with(a.clone().named("/etc/x"))),
        ("leads elsewhere", with(a.clone().named("x//y"))),
        ("leads elsewhere", with(a.clone().named("./x"))),
        ("leads elsewhere", with(a.clone().named(""))),
        ("ends with a dot or a space", with(a.clone().named("a."))),
        ("ends with a dot or a space", vec![a.clone().named("f /x")]),
        ("backslash", with(a.clone().named("..\\x"))),
        ("name of a drive", with(a.clone().named("C:x"))),
        ("control character", with(a.clone().named("x\0.js"))),
        ("control character", with(a.clone().named("x\u{1b}[31m"))),
        ("too long", with(a.clone().named(&long))),
        ("letters that readers read in two ways", with(Part { flags: 0, ..a.clone().named("é") })),
        ("not UTF-8", with(Part { name: vec![b'x', 0xff], ..a.clone() })),
        ("a link or a device", with(mode(0o120_777))),
        ("a link or a device", with(mode(0o020_644))),
        ("a folder for others", with(mode(0o040_755))),
        ("a folder for others", with(Part { attributes: DOS_DIRECTORY, ..b.clone() })),
        ("a folder for others", with(Part { attributes: 0o100_644 << 16, ..Part::folder("f/") })),
        ("a folder for others", with(Part::stored("f/", "contents"))),
        ("encrypted", with(Part { flags: UTF8 | 1, ..b.clone() })),
        ("flags", with(Part { flags: UTF8 | 1 << 13, ..b.clone() })),
        ("not every reader knows", with(Part { method: 9, ..b.clone() })),
        ("two lengths", with(Part { method: 0, ..b.clone() })),
        ("zip64", with(Part { further: further(1, &[0; 8]), ..b.clone() })),
        ("a second name", with(Part { further: further(0x7075, b"\x01....evil"), ..b.clone() })),
        ("nobody knows", with(Part { further: further(0x9999, &[]), ..b.clone() })),
        ("broken further field", with(Part { further: vec![0x55, 0x54, 9, 0, 1], ..b.clone() })),
        ("broken further field", with(Part { further: vec![0x55], ..b.clone() })),
        ("something else than the archive says", with(Part { data: b"two twx".to_vec(), ..b.clone() })),
        ("can't be unpacked", with(Part { packed: vec![0xff; 9], ..b.clone() })),
        ("more packed bytes", with(Part { packed: [&b.packed[..], b"more"].concat(), ..b.clone() })),
        ("followed by bytes of no entry", with(Part { behind: b"x".to_vec(), ..b.clone() })),
        ("in two ways", with(Part { behind: vec![0; 16], ..b.clone().streamed(true) })),
        ("in two ways", with(Part { behind: vec![], ..b.clone().streamed(true) })),
        (
            "followed by bytes",
            with(Part { behind: [b.clone().streamed(true).behind, vec![0]].concat(), ..b.clone().streamed(true) }),
        ),
    ] {
        let found = unpacked(&archive(&parts));
        assert!(found.as_ref().is_err_and(|error| error.contains(what)), "{what}: {found:?}");
    }
}

#[test]
fn archives_whose_ends_could_be_found_in_two_places_are_refused() {
    let good = archive(&honest());
    let local = Part::stored("hidden", "x").local();
    let start = good.len() - 22;
    let at = |number: usize| (number as u32).to_le_bytes();
    let changed = |offset: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[start + offset..start + offset + bytes.len()].copy_from_slice(bytes);
        changed
    };
    let directory = u32::from_le_bytes(good[start + 16..start + 20].try_into().unwrap()) as usize;
    // Another end in the comment of the first.
    let inside = [&changed(20, &[22, 0])[..], &end(0, 0, 0)].concat();
    // A second archive before or behind the first.
    let two = [&good[..], &good].concat();
    // Entries that the directory does not know, before the first and between others.
    let unknown = |place: usize| {
        let mut bytes = good.clone();
        bytes.splice(place..place, local.clone());
        let end = bytes.len() - 22;
        bytes[end + 16..end + 20].copy_from_slice(&at(directory + local.len()));
        bytes
    };
    // Two entries of the directory for the same bytes.
    let same = {
        let (one, other) = (Part::stored("a", "one"), Part::stored("a", "one").named("b"));
        let (mut bytes, listed) = (one.local(), [one.central(0), other.central(0)].concat());
        let start = bytes.len();
        bytes.extend(&listed);
        bytes.extend(end(2, listed.len(), start));
        bytes
    };
    for (what, bytes) in [
        ("no zip archive", Vec::new()),
        ("no zip archive", b"hello".to_vec()),
        ("no zip archive", [b"#!/bin/sh\n".to_vec(), good.clone(), vec![0]].concat()),
        ("cut off", good[..good.len() - 1].to_vec()),
        ("cut off", [&good[..], b"\n"].concat()),
        ("directory does not end", [b"#!/bin/sh\n".to_vec(), good.clone()].concat()),
        ("directory does not end", two),
        ("something follows", changed(20, &[1, 0])),
        ("directory does not end", inside),
        ("mcpb sign", [&good[..], b"MCPB_SIG_V1....MCPB_SIG_END"].concat()),
        ("several parts", changed(4, &[1, 0])),
        ("several parts", changed(8, &[1, 0])),
        ("its end says", changed(8, &[2, 0, 2, 0])),
        ("zip64", changed(8, &[0xff; 4])),
        ("zip64", changed(12, &[0xff; 4])),
        ("zip64", changed(16, &[0xff; 4])),
        ("directory does not end", changed(16, &at(directory - 1))),
        ("directory does not end", changed(12, &at(1))),
        ("before its first entry", archive_behind(&local, &honest())),
        ("before its first entry", archive_behind(b"#!/bin/sh\n", &honest())),
        ("in two ways", unknown(0)),
        ("the same bytes", same),
    ] {
        let found = unpacked(&bytes);
        assert!(found.as_ref().is_err_and(|error| error.contains(what)), "{what}: {found:?}");
    }
    // In between, it is the entry before it that does not end where it should.
    let between = unknown(Part::stored("a", "one").local().len());
    assert!(unpacked(&between).is_err());
}

#[test]
fn a_head_that_differs_from_the_directory_in_any_field_is_refused() {
    let good = archive(&[Part::stored("name", "contents")]);
    let fields = [
        (6, "flags"),
        (8, "method"),
        (10, "time"),
        (12, "date"),
        (14, "crc"),
        (18, "packed"),
        (22, "size"),
        (26, "length of the name"),
        (30, "name"),
    ];
    for (offset, what) in fields {
        let mut changed = good.clone();
        changed[offset] ^= 4;
        assert!(unpacked(&changed).is_err(), "{what}");
    }
    assert!(unpacked(&good).is_ok());
}

#[test]
fn no_change_of_a_byte_makes_another_archive_of_it() {
    let good = archive(&honest());
    let expected = unpacked(&good).unwrap();
    for at in 0..good.len() {
        for bit in [1, 0x80] {
            let mut changed = good.clone();
            changed[at] ^= bit;
            // A version that a reader needs, and attributes of systems, change nothing about what is read.
            if let Ok(found) = unpacked(&changed) {
                let names: Vec<_> = found.iter().map(|(name, _)| name).collect();
                let expected_names: Vec<_> = expected.iter().map(|(name, _)| name).collect();
                assert_eq!((names, &found), (expected_names, &expected), "byte {at}");
            }
        }
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_unpacked() {
    let bomb = Part::deflated("bomb", &"0".repeat(1_000_000));
    let small = Part { data: vec![b'0'; 10], ..bomb.clone() };
    let found = unpacked(&archive(&[small])).unwrap_err();
    assert!(found.contains("something else than the archive says"), "{found}");
    // It says that it has 3 GiB, and is not unpacked at all.
    let mut bytes = archive(&[bomb]);
    let start = bytes.len() - 22;
    let directory = u32::from_le_bytes(bytes[start + 16..start + 20].try_into().unwrap()) as usize;
    for at in [22, directory + 24] {
        bytes[at..at + 4].copy_from_slice(&0xc000_0000_u32.to_le_bytes());
    }
    assert!(unpacked(&bytes).unwrap_err().contains("bytes unpacked"));
}
