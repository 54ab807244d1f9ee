//! Links the program `smcp` without shared libraries, where that can be had.
//!
//! docs/decisions/0046 says why, and why by link arguments: they reach the program alone, so that macros, build scripts and
//! wasmtime are built as always, by every command of Cargo and to the usual place. Only what is released is linked so: tests
//! put a library before that of the C language, to change the clock of a program.

#![expect(clippy::disallowed_methods, reason = "a build script reads what Cargo sets, and writes where Cargo says")]

use std::env;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

/// The shared libraries that rustc asks for, each with the archives that take its place.
const LIBRARIES: [(&str, &[&str]); 7] = [
    ("c", &["libc.a", "libgcc_eh.a", "libgcc.a"]),
    ("gcc_s", &["libgcc_eh.a", "libgcc.a"]),
    ("m", &["libm.a"]),
    ("util", &[]),
    ("rt", &[]),
    ("pthread", &[]),
    ("dl", &[]),
];

/// The functions of a decision, by their symbols, as `cargo xtask order` finds them.
const ORDER: &str = "link-order.txt";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(own_start, smcp_entry)");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let is_gnu = variable("CARGO_CFG_TARGET_OS") == "linux" && variable("CARGO_CFG_TARGET_ENV") == "gnu";
    if is_gnu {
        // The C library hands the arguments to Rust's library before it calls `main`; others don't.
        println!("cargo::rustc-cfg=own_start");
    }
    if variable("PROFILE") != "release" {
        return;
    }
    // In place of Cargo's `strip`.
    println!("cargo::rustc-link-arg-bins=-Wl,-S");
    if !is_gnu {
        return;
    }
    let linker = match variable("RUSTC_LINKER") {
        none if none.is_empty() => "cc".to_owned(),
        linker => linker,
    };
    let folder = PathBuf::from(variable("OUT_DIR"));
    match replace_libraries(&linker, &folder) {
        Ok(()) => {
            // Relocations without a symbol take a bit each and not 24 bytes.
            let found = format!("-L{}", folder.display());
            for argument in ["-static-pie", "-Wl,-z,pack-relative-relocs", found.as_str()] {
                link(argument);
            }
            if variable("CARGO_CFG_TARGET_ARCH") == "x86_64" {
                println!("cargo::rustc-cfg=smcp_entry");
                println!("cargo::rustc-link-arg-bins=-Wl,--entry=smcp_entry");
            }
            if is_lld(&variable) {
                order_functions(&variable("CARGO_MANIFEST_DIR"));
            }
        }
        Err(missing) => println!("cargo::warning=smcp is linked to shared libraries, and starts later: {missing}"),
    }
}

/// Whether the linker is rustc's own, whose options the others don't know: rustc links with it for this target, unless
/// somebody says otherwise.
fn is_lld(variable: &dyn Fn(&str) -> String) -> bool {
    let flags = variable("CARGO_ENCODED_RUSTFLAGS");
    let is_default = !["link-self-contained", "linker", "fuse-ld"].iter().any(|other| flags.contains(other));
    let linker = variable("RUSTC_LINKER");
    variable("TARGET") == "x86_64-unknown-linux-gnu" && is_default && linker.is_empty()
}

/// Puts what a decision runs side by side. The system reads and maps sixteen pages around each that is used, and takes
/// them down at the end: functions that lie apart cost more than they run. A name that is not there any more is ignored.
fn order_functions(folder: &str) {
    println!("cargo::rerun-if-changed={ORDER}");
    let order = format!("--symbol-ordering-file={folder}/{ORDER}");
    // Functions with the same code are one: nothing here compares the addresses of functions.
    for argument in [order.as_str(), "--no-warn-symbol-ordering", "--icf=all"] {
        link("-Xlinker");
        link(argument);
    }
}

/// Hands an argument to the linker of the program, and of the benches, which measure parts of it.
fn link(argument: &str) {
    for kind in ["bins", "benches"] {
        println!("cargo::rustc-link-arg-{kind}={argument}");
    }
}

/// Writes a linker script in place of each shared library.
fn replace_libraries(linker: &str, folder: &Path) -> Result<(), String> {
    for (name, archives) in LIBRARIES {
        let paths: Vec<String> = archives.iter().map(|archive| find(linker, archive)).collect::<Result<_, _>>()?;
        let script = if paths.is_empty() { String::new() } else { format!("GROUP ( {} )\n", paths.join(" ")) };
        fs::write(folder.join(format!("lib{name}.so")), script).map_err(|error| error.to_string())?;
    }
    find(linker, "rcrt1.o").map(drop)
}

/// Returns where the linker has a file. It answers with the bare name when it has none.
fn find(linker: &str, file: &str) -> Result<String, String> {
    let answer = Command::new(linker).arg(format!("-print-file-name={file}")).output();
    let answer = answer.map_err(|error| format!("`{linker}`: {error}"))?;
    match String::from_utf8_lossy(&answer.stdout).trim() {
        path if path.starts_with('/') => Ok(path.to_owned()),
        _ => Err(format!("`{linker}` finds no {file} (Debian has it in libc6-dev, Fedora in glibc-static)")),
    }
}
