//! What is in every machine: smcp, Python, hostile servers in a registry, and two users.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use serde_json::json;

use crate::bed::Package;
use crate::bed::TestBed;
use crate::image::Image;
use crate::machine;
use crate::machine::Ended;
use crate::machine::Steps;
use crate::packages::Release;

const GUEST: &str = include_str!("guest.py");
const PROBE: &str = include_str!("../confinement/probe.py");
const REACH: &str = include_str!("../confinement/reach.py");
const OBSERVED: &str = include_str!("../confinement/observed.py");
const NATIVE: &str = include_str!("../confinement/hostile.c");
/// How many tries it has.
pub(crate) const NATIVE_TRIES: usize = 29;

/// Asks for nothing, and starts no programs.
pub(crate) const ALONE: &str = "acme/alone@1.0.0";
/// Asks for any host.
pub(crate) const ANY: &str = "acme/any@1.0.0";
/// Asks for one host of two.
pub(crate) const HOSTS: &str = "acme/hosts@1.0.0";
/// Asks for files, and tries to get out by calls that no library makes.
pub(crate) const CALLS: &str = "acme/calls@1.0.0";
/// Has no block of permissions.
pub(crate) const UNKNOWN: &str = "acme/unknown@1.0.0";

/// What the servers and the first process import, as they run: some of it by names in their text.
const IMPORTS: &str = "\
import asyncio, concurrent.futures.thread, ctypes, ctypes.util, encodings.ascii, encodings.idna, encodings.latin_1, encodings.unicode_escape, fcntl, json, \
multiprocessing, os, platform, resource, selectors, shlex, signal, socket, struct, subprocess, sys, tempfile, threading, time, \
traceback, urllib.request
import sysconfig
def files():
    for name, module in sorted(sys.modules.items()):
        path = getattr(module, '__file__', None)
        if path and name not in ('ssl', '_ssl'):
            yield path
            if getattr(module, '__cached__', None) and os.path.exists(module.__cached__):
                yield module.__cached__
print(os.path.realpath(sys.executable), sysconfig.get_paths()['stdlib'], *files(), sep='\\n')";

/// Boots the kernel of a release on a processor, with more words on its command line and more in its image, and takes the
/// steps. `None`, which is said, where that can't be had here.
pub(crate) fn boot(release: Release, how: (&str, &str), add: impl FnOnce(&mut Image), steps: Steps) -> Option<Ended> {
    let mut image = image()?;
    add(&mut image);
    match release.kernel() {
        Ok(kernel) => Some(machine::boot(&kernel, how, image, steps)),
        Err(why) => {
            crate::say(&format!("skipped: the kernel of {}, since {why}", release.suite));
            None
        }
    }
}

/// The image of every machine, but for its steps; `None`, which is said, where this machine has no means for it.
fn image() -> Option<Image> {
    static IMAGE: LazyLock<Result<Image, String>> = LazyLock::new(make);
    match &*IMAGE {
        Ok(image) => Some(image.clone()),
        Err(error) => {
            crate::say(&format!("skipped: real kernels, since {error}"));
            None
        }
    }
}

fn make() -> Result<Image, String> {
    if !machine::can_start() {
        return Err("`qemu-system-x86_64` is not on this machine".into());
    }
    let scratch = tempfile::tempdir().unwrap();
    let calls = scratch.path().join("calls");
    output(Command::new("cc").args(["-pthread", "-x", "c", "-", "-o"]).arg(&calls), NATIVE)?;
    let mut image = Image::new();
    python(&mut image)?;
    image.program(&found("true")?, "usr/bin/true");
    image.libraries(&calls);
    let stripped = scratch.path().join("smcp");
    output(Command::new("strip").arg("-o").arg(&stripped).arg(env!("CARGO_BIN_EXE_smcp")), "")?;
    image.program(&stripped, "usr/local/bin/smcp");
    image.file("init", GUEST.as_bytes(), 0o755);
    for (path, text) in [
        ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n"),
        ("etc/group", "root:x:0:\nuser:x:1000:\n"),
        ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ] {
        image.file(path, text.as_bytes(), 0o644);
    }
    let bed = registry(&calls);
    for (home, owner) in [("root", 0), ("home/user", 1000)] {
        image.folder(home, owner, 0o755);
        image.tree(&bed.path("registry"), &format!("{home}/registry"), owner);
        image.copy(&bed.path(".mcp/config.yaml"), &format!("{home}/.mcp/config.yaml"), owner);
    }
    Ok(image)
}

/// Python with those of its modules that are imported.
fn python(image: &mut Image) -> Result<(), String> {
    let text = output(Command::new("python3").args(["-c", IMPORTS]), "")?;
    let mut lines = text.lines().map(Path::new);
    let (Some(program), Some(library)) = (lines.next(), lines.next()) else {
        return Err("python3 says nothing".into());
    };
    image.program(program, "usr/bin/python3");
    let name = library.file_name().unwrap().to_str().unwrap();
    image.folder(&format!("usr/lib/{name}/lib-dynload"), 0, 0o755);
    for module in lines {
        let Ok(inside) = module.strip_prefix(library) else { continue };
        image.copy(module, &format!("usr/lib/{name}/{}", inside.display()), 0);
        if module.extension().is_some_and(|extension| extension == "so") {
            image.libraries(module);
        }
    }
    Ok(())
}

/// Publishes the servers that are made of a script.
pub(crate) fn publish(bed: &TestBed) {
    let python = |reference: &str, script: &str, text: &str, permissions: Value| {
        let package = Package::greeter(reference).entrypoint(json!({"command": ["python3", script]}));
        let package = package.manifest(|manifest| manifest["permissions"] = permissions);
        bed.publish(&package.file(script, text, 0o644).good());
    };
    bed.configure("");
    python(ALONE, "probe.py", PROBE, json!({"subprocess": false}));
    python(ANY, "probe.py", PROBE, json!({"network": {"outbound": ["*"]}}));
    python(HOSTS, "reach.py", REACH, json!({"network": {"outbound": ["localhost:8080"]}}));
    python(UNKNOWN, "observed.py", OBSERVED, Value::Null);
}

/// A registry of all servers.
fn registry(calls: &Path) -> TestBed {
    let bed = TestBed::new();
    publish(&bed);
    let asks = json!({"filesystem": {"read": ["~/docs"], "write": ["~/out"]}, "subprocess": false});
    let package = Package::greeter(CALLS).entrypoint(json!({"command": ["./calls"]}));
    let package = package.manifest(|manifest| manifest["permissions"] = asks);
    bed.publish(&package.file("calls", fs::read(calls).unwrap(), 0o755).good());
    bed
}

/// A program of this machine that is on PATH.
fn found(name: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap();
    let places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.into_iter().find(|place| place.is_file()).ok_or_else(|| format!("there is no `{name}`"))
}

/// Runs a program with this on its standard input; returns what it prints.
fn output(command: &mut Command, input: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, input.as_bytes()).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let output = command.stdin(file).output().map_err(|error| format!("`{name}` can't be started: {error}"))?;
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{name}: {errors}");
    Ok(String::from_utf8(output.stdout).unwrap())
}
