//! Writes the table of invisible characters, by the tables of Unicode.
//!
//! docs/decisions/0023 says which those are, and why. To make the table in each process took longer than to judge a package.

#![expect(clippy::disallowed_methods, reason = "a build script reads what Cargo sets, and writes where Cargo says")]

use std::env;
use std::error::Error;
use std::fs;
use std::path::PathBuf;

use regex_syntax::hir::Class;
use regex_syntax::hir::HirKind;

/// Controls, formats, private use and unassigned characters (the categories `C…`), separators of lines and paragraphs,
/// and characters that may be drawn as nothing (the property `Default_Ignorable_Code_Point`).
const BY_PROPERTY: &str = r"\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}";

/// Characters that are blank by definition, although no property says so: the empty Braille cell, two blank
/// hieroglyphs, the Khitan filler and the null notehead.
const BLANK: &str = r"\u{2800}\u{13441}\u{13442}\u{16FE4}\u{1D159}";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let parsed = regex_syntax::parse(&format!("[{BY_PROPERTY}{BLANK}]"))?;
    let HirKind::Class(Class::Unicode(class)) = parsed.kind() else { return Err("the class has no ranges".into()) };
    let ranges: Vec<(char, char)> = class.iter().map(|range| (range.start(), range.end())).collect();
    let path = PathBuf::from(env::var_os("OUT_DIR").ok_or("Cargo sets OUT_DIR")?).join("unseen.in");
    fs::write(path, format!("&{ranges:?}"))?;
    Ok(())
}
