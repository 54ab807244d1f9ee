//! Reads a zip archive in the one way in which all readers do, or not at all.
//!
//! A zip says everything twice: before each file, and in a directory at its end. Readers differ in which of the two they
//! believe, in where they look for the directory, and in what they make of bytes that neither names. So both have to say the
//! same, the files have to fill the archive from its first byte to the directory without a gap, and the directory to its
//! end.

use std::collections::BTreeSet;
use std::io::Read;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use crate::mcpb::McpbError;
use crate::mcpb::names::EntryNames;
use smcp_model::limits;
use smcp_model::number;
use smcp_model::text::SafeText;
use smcp_store::stream::CHUNK;

/// The record at the end of an archive: its signature and its length, bytes.
const END: ([u8; 4], usize) = (*b"PK\x05\x06", 22);
/// The same for an entry of the directory, without its texts.
const CENTRAL: ([u8; 4], usize) = (*b"PK\x01\x02", 46);
/// The same for what stands before a file.
const LOCAL: ([u8; 4], usize) = (*b"PK\x03\x04", 30);
/// What may stand before the sums behind a file.
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";
/// What the signature of `mcpb sign` begins with, behind the end of the archive.
const SIGNED: &[u8] = b"MCPB_SIG_V1";

/// Flags that change nothing about what is read: two of the compressor's, that the sums stand behind the file, and that
/// names are UTF-8.
const FLAGS: u16 = 0b0000_1000_0000_1110;
/// The sums stand behind the file.
const SUMS_BEHIND: u16 = 1 << 3;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;

/// Further fields that say nothing about what is read: times, owners, and padding.
const HARMLESS_FIELDS: [u16; 7] = [0x000a, 0x5455, 0x5855, 0x7855, 0x7875, 0xcafe, 0xd935];

/// The kind of a file in its mode on Unix.
const KIND_OF_FILE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const DIRECTORY: u32 = 0o040_000;
/// Systems whose modes are those of Unix: itself, and macOS.
const UNIX: [u8; 2] = [3, 19];
/// A directory, for systems of Microsoft.
const DOS_DIRECTORY: u32 = 0x10;

/// A file or a folder of an archive.
#[derive(Debug)]
pub struct ZipEntry<'b> {
    /// Its path, without a slash at its end.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Whether it is a file that its owner may execute.
    pub is_executable: bool,
    method: ZipMethod,
    crc: u32,
    size: u32,
    data: &'b [u8],
}

#[cfg(test)]
impl ZipEntry<'static> {
    /// An empty file.
    pub(super) fn empty(name: &str) -> Self {
        let (name, method) = (name.to_owned(), ZipMethod::Stored);
        Self { name, is_folder: false, is_executable: false, method, crc: 0, size: 0, data: &[] }
    }
}

/// How a file is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ZipMethod {
    Stored,
    Deflated,
}

/// What the directory says of a file, and its head has to say too.
#[derive(Debug)]
struct ListedZipEntry<'b> {
    name: &'b [u8],
    flags: u16,
    method: u16,
    /// Time and date of its last change, as they stand there.
    time: u32,
    crc: u32,
    packed: u32,
    size: u32,
    /// Where its head begins.
    start: usize,
    made_by: u8,
    attributes: u32,
}

/// Numbers at the beginning of a record, read one after the other.
struct ZipFields<'b>(&'b [u8]);

impl<'b> ZipFields<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn short(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| Some(u16::from_le_bytes(bytes.try_into().ok()?)))
    }

    fn long(&mut self) -> Option<u32> {
        self.take(4).and_then(|bytes| Some(u32::from_le_bytes(bytes.try_into().ok()?)))
    }
}

/// Returns everything in an archive, in the order of its directory.
pub(super) fn entries(bytes: &[u8]) -> Result<Vec<ZipEntry<'_>>, McpbError> {
    let (directory, start) = directory(bytes)?;
    let mut listed = Vec::new();
    let mut rest = directory;
    while !rest.is_empty() {
        let (entry, after) =
            listed_entry(rest).ok_or_else(|| refuse("its directory is cut off, or has something else in it"))??;
        listed.push(entry);
        rest = after;
        if listed.len() > limits::BUNDLE_ENTRIES {
            return Err(refuse(&format!("it has more than {} entries", limits::BUNDLE_ENTRIES)));
        }
    }
    let (_, count) = end_of(bytes)?;
    if listed.len() != usize::from(count) {
        return Err(refuse(&format!(
            "its end says that it has {count} entries, and its directory has {}",
            listed.len()
        )));
    }
    let total: u64 = listed.iter().map(|entry| u64::from(entry.size)).sum();
    if total > limits::BUNDLE_UNPACKED {
        return Err(refuse(&format!("it has more than {} bytes unpacked", limits::BUNDLE_UNPACKED)));
    }
    // In the order of their places, each has to end where the next one begins.
    let starts: BTreeSet<usize> = listed.iter().map(|entry| entry.start).collect();
    if starts.len() != listed.len() {
        return Err(refuse("two of its entries are the same bytes"));
    }
    if starts.first().copied().unwrap_or(start) != 0 {
        return Err(refuse("something stands before its first entry"));
    }
    let mut names = EntryNames::default();
    listed
        .iter()
        .map(|entry| {
            let end = starts.range(entry.start.saturating_add(1)..).next().copied().unwrap_or(start);
            let within = bytes.get(entry.start..end).ok_or_else(|| refuse("an entry begins in its directory"))?;
            let (name, is_folder) = names.take(entry.name, entry.flags & UTF8 != 0)?;
            entry.open(within, name, is_folder)
        })
        .collect()
}

/// Finds the directory: where it begins, and its bytes. It has to end where the record at the very end begins.
fn directory(bytes: &[u8]) -> Result<(&[u8], usize), McpbError> {
    let ((start, length), _) = end_of(bytes)?;
    let end = bytes.len().saturating_sub(END.1);
    if start.checked_add(length) != Some(end) {
        return Err(refuse("its directory does not end where its end begins"));
    }
    Ok((bytes.get(start..end).unwrap_or_default(), start))
}

/// Reads the record at the end: where the directory begins, its length, and how many entries it has.
fn end_of(bytes: &[u8]) -> Result<((usize, usize), u16), McpbError> {
    let at = bytes.len().checked_sub(END.1);
    let record = at.and_then(|at| bytes.get(at..)).and_then(|record| record.strip_prefix(&END.0));
    let Some(record) = record else { return Err(no_end(bytes)) };
    let mut fields = ZipFields(record);
    let mut shorts = || fields.short();
    let (Some(disk), Some(first), Some(here), Some(all)) = (shorts(), shorts(), shorts(), shorts()) else {
        return Err(no_end(bytes));
    };
    let (Some(length), Some(start), Some(comment)) = (fields.long(), fields.long(), fields.short()) else {
        return Err(no_end(bytes));
    };
    if disk != 0 || first != 0 || here != all {
        return Err(refuse("it is one of several parts"));
    }
    if all == u16::MAX || length == u32::MAX || start == u32::MAX {
        return Err(refuse("it is a zip64 archive, which readers read in two ways"));
    }
    if comment != 0 {
        return Err(refuse("its end says that something follows"));
    }
    let position = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(((position(start), position(length)), all))
}

/// Says what stands at the end instead of an end.
fn no_end(bytes: &[u8]) -> McpbError {
    if bytes.windows(SIGNED.len()).any(|part| part == SIGNED) {
        return refuse(
            "a signature of `mcpb sign` follows its end, which readers see in two ways, and which nobody can verify\n  \
             `mcpb unsign` takes it off; say which bundle is meant with #sha256:DIGEST",
        );
    }
    if !bytes.starts_with(b"PK") {
        return refuse("it is no zip archive");
    }
    refuse("it is cut off, or something follows its end, such as a comment")
}

/// Reads an entry of the directory; `None` when it is cut off. Returns what follows it.
fn listed_entry(bytes: &[u8]) -> Option<Result<(ListedZipEntry<'_>, &[u8]), McpbError>> {
    let mut fields = ZipFields(bytes.strip_prefix(&CENTRAL.0)?);
    let made_by = *fields.take(2)?.get(1)?;
    let _needed = fields.short()?;
    let (flags, method, time, crc) = (fields.short()?, fields.short()?, fields.long()?, fields.long()?);
    let (packed, size) = (fields.long()?, fields.long()?);
    let (name, further, comment) = (fields.short()?, fields.short()?, fields.short()?);
    let (disk, _internal, attributes, start) = (fields.short()?, fields.short()?, fields.long()?, fields.long()?);
    let name = fields.take(usize::from(name))?;
    let further = fields.take(usize::from(further))?;
    fields.take(usize::from(comment))?;
    let problem = if disk != 0 {
        Some("lies in another part")
    } else if [packed, size, start].contains(&u32::MAX) {
        Some("has sizes of zip64, which readers read in two ways")
    } else {
        flags_problem(flags).or_else(|| fields_problem(further))
    };
    if let Some(problem) = problem {
        return Some(Err(about(name, problem)));
    }
    let start = usize::try_from(start).ok()?;
    Some(Ok((ListedZipEntry { name, flags, method, time, crc, packed, size, start, made_by, attributes }, fields.0)))
}

fn flags_problem(flags: u16) -> Option<&'static str> {
    if flags & 1 != 0 {
        Some("is encrypted")
    } else if flags & !FLAGS != 0 {
        Some("has flags that readers understand in two ways")
    } else {
        None
    }
}

/// Says what is wrong with the further fields of an entry.
fn fields_problem(further: &[u8]) -> Option<&'static str> {
    let mut fields = ZipFields(further);
    while !fields.0.is_empty() {
        let (Some(kind), Some(length)) = (fields.short(), fields.short()) else {
            return Some("has a broken further field");
        };
        if fields.take(usize::from(length)).is_none() {
            return Some("has a broken further field");
        }
        match kind {
            0x0001 => return Some("has sizes of zip64, which readers read in two ways"),
            0x7075 | 0x6375 => return Some("has a second name"),
            known if HARMLESS_FIELDS.contains(&known) => {}
            _ => return Some("has a further field that nobody knows"),
        }
    }
    None
}

impl<'b> ListedZipEntry<'b> {
    /// Holds the directory's word against what stands before and behind the file; `within` is all that lies between this
    /// entry's place and the next one's.
    fn open(&self, within: &'b [u8], name: String, is_folder: bool) -> Result<ZipEntry<'b>, McpbError> {
        let differs = || about(self.name, "is described in two ways: in the directory, and before its contents");
        let data = self.contents(within).ok_or_else(differs)??;
        let mode = self.attributes >> 16;
        let kind = mode & KIND_OF_FILE;
        let said_folder = kind == DIRECTORY || kind == 0 && self.attributes & DOS_DIRECTORY != 0;
        if ![0, REGULAR, DIRECTORY].contains(&kind) {
            return Err(about(self.name, "is a link or a device"));
        }
        let is_file_too = kind == REGULAR || (self.size, self.packed) != (0, 0);
        let is_two = if is_folder { is_file_too } else { said_folder };
        if is_two {
            return Err(about(self.name, "is a file for some readers and a folder for others"));
        }
        let method = match self.method {
            0 if self.packed == self.size => ZipMethod::Stored,
            0 => return Err(about(self.name, "is stored with two lengths")),
            8 => ZipMethod::Deflated,
            _ => return Err(about(self.name, "is packed in a way that not every reader knows")),
        };
        let is_executable = UNIX.contains(&self.made_by) && mode & 0o100 != 0;
        Ok(ZipEntry { name, is_folder, is_executable, method, crc: self.crc, size: self.size, data })
    }

    /// Returns the packed contents; `None` when the head says something else than the directory.
    fn contents(&self, within: &'b [u8]) -> Option<Result<&'b [u8], McpbError>> {
        let mut fields = ZipFields(within.strip_prefix(&LOCAL.0)?);
        let _needed = fields.short()?;
        let (flags, method, time) = (fields.short()?, fields.short()?, fields.long()?);
        let sums = [fields.long()?, fields.long()?, fields.long()?];
        let (name, further) = (fields.short()?, fields.short()?);
        let name = fields.take(usize::from(name))?;
        let further = fields.take(usize::from(further))?;
        let listed = [self.crc, self.packed, self.size];
        let behind = flags & SUMS_BEHIND != 0;
        let same_sums = sums == listed || behind && sums == [0; 3];
        if (flags, method, time, name) != (self.flags, self.method, self.time, self.name) || !same_sums {
            return None;
        }
        if let Some(problem) = fields_problem(further) {
            return Some(Err(about(self.name, problem)));
        }
        let data = fields.take(usize::try_from(self.packed).ok()?)?;
        let rest = match fields.0 {
            rest if !behind => rest,
            rest => {
                let mut rest = ZipFields(rest.strip_prefix(&DESCRIPTOR).unwrap_or(rest));
                if [rest.long()?, rest.long()?, rest.long()?] != listed {
                    return None;
                }
                rest.0
            }
        };
        if rest.is_empty() { Some(Ok(data)) } else { Some(Err(about(self.name, "is followed by bytes of no entry"))) }
    }
}

impl ZipEntry<'_> {
    /// Unpacks it into memory. All of its bytes have to be used, and give what the archive says.
    ///
    /// # Errors
    /// [`McpbError::Archive`] when they don't.
    pub fn contents(&self) -> Result<Vec<u8>, McpbError> {
        let mut contents = Vec::new();
        self.unpack(&mut |piece| {
            contents.extend_from_slice(piece);
            Ok::<_, McpbError>(())
        })?;
        Ok(contents)
    }

    /// Unpacks it piece by piece, each handed to `take`. All of its bytes have to be used, and give what the archive says;
    /// what was handed over until an error must not be used.
    ///
    /// # Errors
    /// Those of `take`, and [`McpbError::Archive`].
    pub fn unpack<E: From<McpbError>>(&self, take: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        match self.method {
            ZipMethod::Stored => self.drain(&mut &*self.data, take),
            ZipMethod::Deflated => {
                let mut decoder = DeflateDecoder::new(self.data);
                self.drain(&mut decoder, take)?;
                if decoder.total_in() == number::wide(self.data.len()) {
                    return Ok(());
                }
                Err(about(self.name.as_bytes(), "has more packed bytes than are unpacked").into())
            }
        }
    }

    /// Hands over everything that `source` has, which is as much as the archive says, with the sum that it says.
    fn drain<E: From<McpbError>>(
        &self,
        source: &mut dyn Read,
        take: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let about = |problem| E::from(about(self.name.as_bytes(), problem));
        let mut buffer = vec![0; CHUNK];
        let (mut crc, mut count) = (Crc::new(), 0_u64);
        loop {
            let read = source.read(&mut buffer).map_err(|_| about("can't be unpacked"))?;
            count = count.saturating_add(number::wide(read));
            let piece = buffer.get(..read).unwrap_or_default();
            if piece.is_empty() || count > u64::from(self.size) {
                break;
            }
            crc.update(piece);
            take(piece)?;
        }
        if count == u64::from(self.size) && crc.sum() == self.crc {
            return Ok(());
        }
        Err(about("unpacks to something else than the archive says"))
    }
}

fn refuse(problem: &str) -> McpbError {
    McpbError::archive(problem)
}

/// The error about one entry.
pub(super) fn about(name: &[u8], problem: &str) -> McpbError {
    let name = SafeText::within(&String::from_utf8_lossy(name), limits::NAME_SHOWN);
    McpbError::archive(format!("`{name}` {problem}"))
}

#[cfg(test)]
mod tests;
