//! What the program prints is what its README shows.

use std::process::Command;

#[test]
#[expect(clippy::disallowed_methods, reason = "a test runs the program")]
fn the_readme_shows_the_real_output() {
    let ran = Command::new(env!("CARGO_BIN_EXE_embed")).output().unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let shown = include_str!("../README.md");
    assert!(shown.contains(&format!("```text\n{printed}```")), "put this into the README:\n{printed}");
}
