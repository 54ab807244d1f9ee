//! Gives back the pages of the program that waiting does not need.
//!
//! The system maps sixteen pages of a program's file for each that is used, and counts them as memory of the process, for
//! as long as it lives. A server runs for hours; smcp meanwhile needs a few hundred instructions.

#![expect(unsafe_code, reason = "no safe wrapper takes an address of the program itself")]

use nix::libc;

unsafe extern "C" {
    /// The beginning of the program in memory; every linker of Linux defines it.
    #[link_name = "__executable_start"]
    static START: u8;
    /// The end of its machine code.
    #[link_name = "etext"]
    static END: u8;
}

/// The size of a page, bytes: the largest that a system of ours has, so that no page is named in part.
const PAGE: usize = 64 * 1024;

/// Tells the system that the pages of the program's constants and machine code aren't needed now. Those that are needed
/// later, it maps again from the program's file. Where it refuses, they stay.
pub(crate) fn release() {
    let (start, end) = ((&raw const START).addr(), (&raw const END).addr());
    let (first, last) = (start.next_multiple_of(PAGE), end / PAGE * PAGE);
    let length = last.saturating_sub(first);
    // SAFETY: from its start to the end of its code, a program has only what is in its file and nobody may change: the
    // advice discards copies, and each is read again when it is used. Data, relocated constants included, lie behind.
    unsafe { libc::madvise(std::ptr::without_provenance_mut(first), length, libc::MADV_DONTNEED) };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kilobytes of files that this process has in memory.
    fn of_files() -> u64 {
        #[expect(clippy::disallowed_methods, reason = "what the system says of this process, in no directory of ours")]
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("RssFile:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    #[test]
    fn the_program_goes_on_without_its_pages() {
        // Other tests of this process map pages at the same time.
        let fell = (0..100).any(|_| {
            let before = of_files();
            release();
            of_files() < before
        });
        assert!(fell);
    }
}
