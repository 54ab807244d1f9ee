//! Changes the system for one `smcp`, by a preloaded library.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

/// The source of the library: it shifts the clock by a number of seconds, and makes a write beyond the limit on the
/// length of files fatal.
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

/// The variables that shift the clock of a program by `seconds`.
pub(crate) fn later(seconds: i64) -> [(&'static str, String); 2] {
    [("LD_PRELOAD", library().to_str().unwrap().to_owned()), ("TEST_CLOCK", seconds.to_string())]
}

/// The variables under which a write beyond the limit on the length of files kills a program, even if it has a handler:
/// a kill at a known place.
pub(crate) fn deadly_limit() -> [(&'static str, String); 2] {
    [("LD_PRELOAD", library().to_str().unwrap().to_owned()), ("TEST_DEADLY_LIMIT", "1".to_owned())]
}

/// The path of the library, which is built once by the compiler that Rust links with.
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
