//! A system that is another for `smcp` alone: a library that answers in its place.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// What says another time than it is, so many seconds later, earlier where the number is negative; and what lets nobody
/// survive the limit of a file's length.
const SOURCE: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
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
int sigaction(int number, const struct sigaction *action, struct sigaction *before) {
    static int (*real)(int, const struct sigaction *, struct sigaction *);
    if (!real) real = (int (*)(int, const struct sigaction *, struct sigaction *))dlsym(RTLD_NEXT, "sigaction");
    return real(number, number == SIGXFSZ && getenv("TEST_DEADLY_LIMIT") ? 0 : action, before);
}
"#;

/// The variables that make the clock of a program stand `seconds` later than it is.
pub(crate) fn later(seconds: i64) -> [(&'static str, String); 2] {
    [("LD_PRELOAD", library().to_str().unwrap().to_owned()), ("TEST_CLOCK", seconds.to_string())]
}

/// The variables under which a program dies of a write beyond the limit of a file's length, as it would without a handler
/// of its own: a kill at a place that is known.
pub(crate) fn deadly_limit() -> [(&'static str, String); 2] {
    [("LD_PRELOAD", library().to_str().unwrap().to_owned()), ("TEST_DEADLY_LIMIT", "1".to_owned())]
}

/// Where the library is, made once by the compiler that Rust links with.
fn library() -> PathBuf {
    static BUILT: OnceLock<TempDir> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let (source, library) = (folder.path().join("stand_in.c"), folder.path().join("stand_in.so"));
        fs::write(&source, SOURCE).unwrap();
        let built =
            Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(library).arg(source).args(["-ldl"]).status();
        assert!(built.unwrap().success());
        folder
    });
    folder.path().join("stand_in.so")
}
