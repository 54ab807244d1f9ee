//! What servers try that did not ask for it.

use serde_json::Value;
use serde_json::json;

use crate::tries::FILES;
use crate::tries::KERNEL;
use crate::tries::MORE;
use crate::tries::NAMESPACES;
use crate::tries::NETWORK;
use crate::tries::OPEN;
use crate::tries::PROCESSES;
use crate::tries::TAKEN_OVER;
use crate::world::World;
use crate::world::all;
use crate::world::outcome;

/// Checks what holds for every server, and for one that is observed as well.
fn everywhere(check: impl Fn(&World)) {
    [World::new(""), World::new("").observed()].iter().for_each(check);
}

fn nothing() -> Value {
    json!({})
}

fn alone() -> Value {
    json!({"subprocess": false})
}

#[test]
fn without_confinement_all_of_it_can_be_done() {
    let world = World::new("confinement: off\n");
    world.publish(&nothing());
    assert_eq!(world.foreseen(), ("none".to_owned(), vec!["off".to_owned()]));
    let names = [&FILES[..17], &NETWORK[..5], &PROCESSES[..1], &PROCESSES[2..]].concat();
    all(&world.tries(&names), &names, "done");
    let moved = world.tries(&["move it"]);
    all(&moved, &["move it"], "done");
    assert_eq!((outcome(&moved, "NoNewPrivs"), outcome(&moved, "Seccomp")), ("0", "0"));
}

#[test]
fn files_that_were_not_asked_for_are_out_of_reach() {
    everywhere(|world| {
        for permissions in [nothing(), alone()] {
            if !world.confines(&permissions) {
                continue;
            }
            let names = [&FILES[..], &MORE].concat();
            all(&world.tries(&names), &names, "refused");
            assert_eq!(world.bed.read(".ssh/key"), "secret");
            assert!(world.bed.has(".ssh/other") && !world.bed.has("new"));
            let open = world.tries(&OPEN);
            all(&open, &OPEN, "done");
            let machine = u64::from_str_radix(outcome(&open, "CapEff"), 16).unwrap();
            assert_eq!(
                machine & (1 << 12 | 1 << 17 | 1 << 19 | 1 << 21),
                0,
                "no raw memory, no tracing, no administration of the machine or its network: {machine:x}"
            );
            // Whoever starts others finds them in `/proc`, with the arguments of all.
            let arguments = world.tries(&["read smcp's arguments"]);
            all(&arguments, &["read smcp's arguments"], if permissions == alone() { "refused" } else { "done" });
            assert_eq!((outcome(&open, "NoNewPrivs"), outcome(&open, "core")), ("1", "(0, 0)"));
            assert_eq!(outcome(&open, "open files"), "0 1 2", "and the folder that was listed is the next");
        }
    });
}

#[test]
fn without_hosts_there_is_no_network() {
    everywhere(|world| {
        if world.confines(&nothing()) {
            all(&world.tries(&NETWORK), &NETWORK, "refused");
        }
        if world.confines(&json!({"network": {"outbound": ["*"]}})) {
            let asked = [&NETWORK[..3], &OPEN].concat();
            all(&world.tries(&asked), &asked, "done");
            all(&world.tries(&FILES), &FILES, "refused");
            all(&world.tries(&["use an abstract socket"]), &["use an abstract socket"], "refused");
        }
    });
}

#[test]
fn calls_of_machines_are_refused_to_everybody() {
    everywhere(|world| {
        for permissions in [nothing(), alone(), json!({"network": {"outbound": ["*"]}}), Value::Null] {
            if world.confines(&permissions) {
                let tries = world.tries(&KERNEL);
                all(&tries, &KERNEL, "refused");
                assert_eq!((outcome(&tries, "NoNewPrivs"), outcome(&tries, "Seccomp")), ("1", "2"));
            }
            if permissions != Value::Null && world.confines(&permissions) {
                all(&world.tries(&NAMESPACES), &NAMESPACES, "refused");
            }
        }
    });
}

#[test]
fn who_starts_no_other_programs_can_not_start_one() {
    everywhere(|world| {
        if world.confines(&alone()) {
            let names = [&PROCESSES[..], &TAKEN_OVER].concat();
            all(&world.tries(&names), &names, "refused");
            all(&world.tries(&OPEN), &OPEN, "done");
        }
        if world.confines(&nothing()) {
            let able = [&PROCESSES[..1], &PROCESSES[2..], &OPEN].concat();
            all(&world.tries(&able), &able, "done");
        }
    });
}

#[test]
fn lists_of_files_mean_what_they_say() {
    everywhere(|world| {
        let lists = json!({"filesystem": {"read": ["~/docs"], "write": ["~/out"]}});
        if world.confines(&lists) {
            let (open, closed) = (
                ["read what it asked for", "write what it asked for"],
                ["read what it may write", "write what it may read"],
            );
            all(&world.tries(&open), &open, "done");
            all(&world.tries(&closed), &closed, "refused");
            all(&world.tries(&FILES), &FILES, "refused");
            assert!(world.bed.has("out/made"));
        }
        // All of the home is not the keys in it.
        if world.confines(&json!({"filesystem": {"read": ["~", "*"], "write": ["/"]}})) {
            all(&world.tries(&["read what it asked for"]), &["read what it asked for"], "done");
            let kept = ["read the key", "read it by /proc", "read the rules", "remove it", "change the registry"];
            all(&world.tries(&kept), &kept, "refused");
        }
        if world.confines(&json!({"filesystem": {"read": ["~/.ssh"]}})) {
            all(&world.tries(&["read the key"]), &["read the key"], "done");
            all(&world.tries(&["empty it", "read the rules"]), &["empty it", "read the rules"], "refused");
        }
    });
}

#[test]
fn a_manifest_without_a_block_says_nothing_and_that_is_said() {
    let world = World::new("");
    world.publish(&Value::Null);
    assert!(world.foreseen().1.contains(&"permissions".to_owned()));
    let open = ["read the key", "write in the home", "make a socket of IPv4", "start a program", "signal smcp"];
    all(&world.tries(&open), &open, "done");
}

#[test]
fn calls_of_another_machine_end_the_server() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let world = World::new("");
    if !world.confines(&nothing()) {
        return;
    }
    // `mov eax, 20; int 0x80; ret`: getpid, by its number in programs of 32 bits.
    let code = "import ctypes, mmap\n\
                page = mmap.mmap(-1, 4096, prot=7)\n\
                page.write(bytes.fromhex('b814000000cd80c3'))\n\
                address = ctypes.addressof(ctypes.c_char.from_buffer(page))\n\
                print('number', ctypes.CFUNCTYPE(ctypes.c_long)(address)() > 0, flush=True)\n";
    let server =
        crate::bed::Package::greeter(crate::world::TOOL).entrypoint(json!({"command": ["python3", "-c", code]}));
    let bed = crate::bed::TestBed::new();
    bed.configure("");
    bed.publish(&server.good());
    let ran = bed.smcp(&format!("run {}", crate::world::TOOL)).env("PATH", crate::world::python_path()).run();
    assert_eq!((ran.code, ran.stdout.as_str()), (128 + nix::libc::SIGSYS, ""), "{ran}");
}
