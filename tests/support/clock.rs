//! A clock that stands elsewhere, for `smcp` alone: a library that answers in the system's place.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// What says another time than it is: so many seconds later, earlier where the number is negative.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, now);
    const char *later = getenv("TEST_CLOCK");
    if (result == 0 && later && id == CLOCK_REALTIME) now->tv_sec += atoll(later);
    return result;
}
"#;

/// The variables that make the clock of a program stand `seconds` later than it is.
pub(crate) fn later(seconds: i64) -> [(&'static str, String); 2] {
    [("LD_PRELOAD", library().to_str().unwrap().to_owned()), ("TEST_CLOCK", seconds.to_string())]
}

/// Where the library is, made once by the compiler that Rust links with.
fn library() -> PathBuf {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let (source, library) = (folder.path().join("clock.c"), folder.path().join("clock.so"));
        fs::write(&source, SOURCE).unwrap();
        let built = Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(library).arg(source).args(["-ldl"]).status();
        assert!(built.unwrap().success());
        folder
    });
    folder.path().join("clock.so")
}
