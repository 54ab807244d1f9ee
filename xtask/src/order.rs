//! The order of functions in the released program: those of a decision first, side by side (docs/decisions/0059).
//!
//! `host/build.rs` gives the list to the linker. Symbols have parts that change with the compiler and the versions of
//! crates; a name that is gone is ignored, so an old list makes starts slower and nothing else. [`check`] notices.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;
use anyhow::bail;

use crate::bench;
use crate::callgrind::Bed;
use crate::callgrind::SMCP;
use crate::run::output;
use crate::say;

/// The list, as the linker reads it.
const ORDER: &str = "host/link-order.txt";

/// What the system maps for one access to a file, bytes: sixteen pages.
const WINDOW: u64 = 0x1_0000;

/// The most windows of code that a decision may need. With a new list it needs 36; without one, more than a hundred.
const MOST_WINDOWS: usize = 50;

/// Where the program begins (`host/src/entry.rs`).
const ENTRY: &str = "smcp_entry";

/// Functions for processors that valgrind does not imitate.
const FURTHER: [&str; 6] = [
    "blake3_hash_many_avx512",
    "_blake3_hash_many_avx512",
    "__memmove_avx512_unaligned_erms",
    "__memset_avx512_unaligned_erms",
    "__memcmp_evex_movbe",
    "__strlen_evex",
];

/// Writes the list anew, from what the program runs. What is linked then is in the new order.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    let Some(bed) = Bed::make(root)? else { bail!("the functions of a decision can't be found without it") };
    let mut names: Vec<String> = Vec::new();
    // What is run most comes first.
    for arguments in [bed.eval(), bed.dry_run(), bed.own_policy(), bed.run(&[])] {
        add(&mut names, &root.join(SMCP), &bed.profile(&arguments)?)?;
    }
    // The bench that measures what the policies add inside a process: Cargo builds it with the features that tests add, so
    // its symbols are others.
    let [decisions, _] = bench::our_benches(root)?;
    let first = ["three", "first", "facts.json", "."].map(OsStr::new);
    add(&mut names, &decisions, &bed.profile_of(&decisions, &first)?)?;
    let text: String = names.iter().map(|name| format!("{name}\n")).collect();
    fs::write(root.join(ORDER), text).with_context(|| format!("`{ORDER}` can't be written"))?;
    say(&format!("{ORDER}: {} functions; `cargo build --release` puts them side by side", names.len()));
    Ok(())
}

/// Adds the functions of a program that ran, and are not in the list yet.
fn add(names: &mut Vec<String>, program: &Path, profile: &str) -> anyhow::Result<()> {
    let known = output(Command::new("nm").arg(program)).context("`nm` (Debian's package `binutils`)")?;
    let known: BTreeSet<&str> = known.lines().filter_map(|line| line.split_whitespace().nth(2)).collect();
    let ran: BTreeSet<&str> = functions(profile).chain(FURTHER).collect();
    let listed: BTreeSet<String> = names.iter().cloned().collect();
    names.extend(ran.intersection(&known).filter(|name| !listed.contains(**name)).map(|name| (*name).to_owned()));
    Ok(())
}

/// Fails when the functions of a decision are not side by side in the program, or it does not begin where it should.
pub(crate) fn check(bed: &Bed) -> anyhow::Result<()> {
    let profile = bed.profile(&bed.eval())?;
    if !functions(&profile).any(|name| name == ENTRY) {
        bail!("the program does not begin at `{ENTRY}`: `host/build.rs` names it to the linker");
    }
    let windows = windows(&profile).len();
    say(&format!("  the code of a decision lies in {windows} windows of 64 KiB; {MOST_WINDOWS} are allowed"));
    if windows > MOST_WINDOWS {
        bail!("the functions of a decision are too far apart: `cargo xtask order` writes {ORDER} anew");
    }
    Ok(())
}

/// The functions that ran, by their symbols.
fn functions(profile: &str) -> impl Iterator<Item = &str> {
    let named = profile.lines().filter_map(|line| line.strip_prefix("fn=").or_else(|| line.strip_prefix("cfn=")));
    // A function that calls itself has the depth behind its name.
    named.map(|name| name.split('\'').next().unwrap_or(name))
}

/// The windows of the program's file that instructions ran in.
fn windows(profile: &str) -> BTreeSet<u64> {
    let addresses = profile.lines().filter_map(|line| line.strip_prefix("0x")?.split(' ').next());
    addresses.filter_map(|digits| Some(u64::from_str_radix(digits, 16).ok()? / WINDOW)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROFILE: &str = "positions: instr line\nob=/smcp\nfn=main\n0x401000 0 5\ncfn=work'2\ncalls=1 0x4123 \n0x40ffff 0 1\n\
                           fn=work\n0x410000 0 1\n";

    #[test]
    fn a_profile_has_functions_and_places() {
        assert_eq!(functions(PROFILE).collect::<BTreeSet<_>>(), BTreeSet::from(["main", "work"]));
        assert_eq!(windows(PROFILE), BTreeSet::from([0x40, 0x41]));
    }
}
