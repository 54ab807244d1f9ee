//! Recognises common kinds of files by their first bytes.
//!
//! For messages about a file of an unexpected kind: a download often gives a page about a file, a pointer to it, or an
//! archive around it, under the file's own name.

/// The bytes at a file's start that are needed to recognise it: the mark of a tar archive is at 257.
pub const BEGINNING: usize = 1024;

/// Returns the kind of `bytes`, in words that follow "it is", and the remedy; `None` when the kind is unknown.
pub fn recognise(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let start = bytes.get(..BEGINNING).unwrap_or(bytes);
    binary(start).or_else(|| text(start, bytes.len() > BEGINNING))
}

/// The kind that most often comes in place of the expected file.
pub const WEB_PAGE: &str = "a web page (HTML)";
const UNPACK: &str = "unpack it and name the file that is in it";
const RIGHT_FILE: &str = "name the file that is meant";

fn binary(start: &[u8]) -> Option<(&'static str, &'static str)> {
    const MARKS: [(&[u8], &str, &str); 13] = [
        (b"\x1f\x8b", "a gzip file", UNPACK),
        (b"PK\x03\x04", "a zip archive", UNPACK),
        (b"PK\x05\x06", "an empty zip archive", RIGHT_FILE),
        (b"\xfd7zXZ\0", "an xz file", UNPACK),
        (b"BZh", "a bzip2 file", UNPACK),
        (b"\x28\xb5\x2f\xfd", "a zstd file", UNPACK),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (b"!<arch>\n", "an archive of object files", RIGHT_FILE),
        (b"\x7fELF", "a program for Linux (ELF)", RIGHT_FILE),
        (b"\xcf\xfa\xed\xfe", "a program for macOS (Mach-O)", RIGHT_FILE),
        (b"\xca\xfe\xba\xbe", "a program for macOS or the Java machine", RIGHT_FILE),
        (b"MZ", "a program for Windows", RIGHT_FILE),
        (b"%PDF-", "a PDF document", RIGHT_FILE),
    ];
    let tar = start.get(257..262).filter(|mark| *mark == b"ustar").map(|_| ("a tar archive", UNPACK));
    tar.or_else(|| MARKS.iter().find(|(mark, ..)| start.starts_with(mark)).map(|(_, what, remedy)| (*what, *remedy)))
}

fn text(start: &[u8], cut: bool) -> Option<(&'static str, &'static str)> {
    let text = match std::str::from_utf8(start) {
        Ok(text) => text,
        // The cut may be in the middle of a character.
        Err(error) if cut && error.error_len().is_none() => {
            std::str::from_utf8(start.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let shown = text.trim_start_matches('\u{feff}').trim_start();
    let lower = shown.to_ascii_lowercase();
    let begins = |word: &str| lower.starts_with(word);
    if begins("<!doctype html") || begins("<html") || (begins("<") && lower.contains("<html")) {
        return Some((WEB_PAGE, "download the file itself, not the page about it"));
    }
    if begins("version https://git-lfs.github.com/") {
        return Some(("a Git LFS pointer, which stands for the file", "fetch the file itself: git lfs pull"));
    }
    if begins("<?xml") || begins("<") {
        return Some((
            "XML text",
            "it may be an error of the place it came from: read it, and download the file itself",
        ));
    }
    if begins("{") || begins("[") {
        return Some((
            "JSON text",
            "it may be an error of the place it came from: read it, and download the file itself",
        ));
    }
    if text.starts_with("#!") {
        return Some(("a script", RIGHT_FILE));
    }
    let is_printable = |character: char| !character.is_control() || character.is_ascii_whitespace();
    (!shown.is_empty() && text.chars().all(is_printable)).then_some(("text", RIGHT_FILE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_downloaded_in_place_of_a_file_is_named() {
        let tar = [&[b'x'; 257][..], b"ustar\0"].concat();
        let long = format!("{}ä{}", "x".repeat(BEGINNING - 1), "x".repeat(BEGINNING));
        let cases: &[(&[u8], Option<&str>)] = &[
            (b"<!DOCTYPE html>\n<html>", Some("a web page (HTML)")),
            (b"\xef\xbb\xbf \n<HTML lang=en>", Some("a web page (HTML)")),
            (b"<!-- x --><html>", Some("a web page (HTML)")),
            (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", Some("XML text")),
            (
                b"version https://git-lfs.github.com/spec/v1\noid sha256:",
                Some("a Git LFS pointer, which stands for the file"),
            ),
            (b"{\"message\": \"Not Found\"}", Some("JSON text")),
            (b" [1]", Some("JSON text")),
            (b"\x1f\x8b\x08\0\0\0\0\0", Some("a gzip file")),
            (b"PK\x03\x04\x14\0", Some("a zip archive")),
            (b"\xfd7zXZ\0\0", Some("an xz file")),
            (b"\x28\xb5\x2f\xfd\0", Some("a zstd file")),
            (b"BZh91AY", Some("a bzip2 file")),
            (&tar, Some("a tar archive")),
            (b"\x7fELF\x02\x01\x01", Some("a program for Linux (ELF)")),
            (b"MZ\x90\0", Some("a program for Windows")),
            (b"%PDF-1.7", Some("a PDF document")),
            (b"#!/bin/sh\nexit 0\n", Some("a script")),
            (b"404: Not Found", Some("text")),
            (long.as_bytes(), Some("text")),
            (b"", None),
            (b"  \n", None),
            (b"\0\0\0\0", None),
            (b"\0asm\x0d\0\x01\0", None),
            (b"\xff\xfe\0", None),
        ];
        for (bytes, expected) in cases {
            let what = recognise(bytes).map(|(what, _)| what);
            assert_eq!(what, *expected, "{}", String::from_utf8_lossy(bytes));
        }
    }
}
