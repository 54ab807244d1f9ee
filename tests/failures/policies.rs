//! Policies that break.

use std::fs;

use crate::Row;
use crate::bed::TestBed;
use crate::before::with_threads;
use crate::before::with_tool;
use crate::bombs;
use crate::guest::Twin;
use crate::scene::Scene;
use crate::scene::TOOL;
use crate::trial::Trial;

pub(crate) const ROWS: &[Row] = &[
    Row {
        what: "component missing, or something else",
        holds: &[("the path", "[HOME]/guest.wasm"), ("what it is instead", "not a component")],
        provoke: |trial| {
            trial.judges(|_| String::new());
            trial.judges(|bed| text(bed, "this is text"));
        },
    },
    Row {
        what: "a component that is elsewhere can't be had",
        holds: &[
            ("where", "policies/a:gone"),
            ("the reason", "can't be reached"),
            ("how to get it ahead", "`smcp policy pull` gets it ahead"),
        ],
        provoke: |trial| {
            let test = "a_policy_that_can_not_be_had_is_a_fault_of_its_own";
            trial.elsewhere("tests/oci/sources.rs", test, "load");
        },
    },
    Row {
        what: "what came from elsewhere is not what its digest says, is no artefact of a component, or is too large",
        holds: &[("where", "/manifests/1"), ("expected and found", "expected sha256:")],
        provoke: |trial| {
            let test = "what_is_not_what_its_digest_says_is_not_taken";
            trial.elsewhere("tests/oci/hostile.rs", test, "oci-digest-mismatch");
            let test = "what_is_no_artefact_of_a_component_is_refused_by_name";
            trial.elsewhere("tests/oci/hostile.rs", test, "oci-artefact-invalid");
        },
    },
    Row {
        what: "a source elsewhere can't be asked again, and what it gave last is young enough",
        holds: &[("how old", "7days 1s old"), ("how long still", "`max_age` is 7days")],
        provoke: |trial| {
            let test = "the_last_good_one_counts_until_it_is_too_old";
            trial.elsewhere("host/pipeline/src/remote/tests.rs", test, "policy-not-refreshed");
        },
    },
    Row {
        what: "a component from elsewhere can't be kept",
        holds: &[("the reason", "it can't be kept: ")],
        provoke: |trial| {
            let test = "a_component_that_can_not_be_kept_counts_for_this_start";
            trial.elsewhere("host/pipeline/src/remote/tests.rs", test, "policy-fetched-each-time");
        },
    },
    Row {
        what: "`policy pull` or `policy push`: the registry doesn't have it, doesn't let us, or answers otherwise",
        holds: &[
            ("which", "oci://"),
            ("what it says", "status 413"),
            ("how to log in", "does not let anybody whom it does not know write"),
        ],
        provoke: |trial| {
            for class in ["oci-not-found", "oci-denied", "oci-unavailable"] {
                trial.elsewhere("tests/oci/push.rs", "a_registry_that_fails_in_the_middle_has_no_tag", class);
            }
        },
    },
    Row {
        what: "component too large, or a function of it",
        holds: &[("size and limit", "has more than [SIZE] bytes in one function")],
        provoke: |trial| {
            trial.judges(|bed| {
                fs::File::create(bed.path("guest.wasm")).unwrap().set_len((32 << 20) + 1).unwrap();
                String::new()
            });
            trial.judges(|bed| put(bed, &Twin::honest().with(&format!("(func {})", "nop ".repeat(1 << 20)))));
        },
    },
    Row {
        what: "component invalid, or needs what is off",
        holds: &[("the reason", "exceptions"), ("how to build without it", "-fno-exceptions")],
        provoke: |trial| trial.judges(|bed| twin(bed, "proposal-exceptions")),
    },
    Row {
        what: "compiling takes over 120 s of CPU time or 1 GiB, or breaks the compiler",
        holds: &[
            ("which of them", "it takes more than 1.0 GiB of memory to compile"),
            ("what helps", "docs/policy-authors.md"),
        ],
        provoke: |trial| {
            trial.elsewhere("host/code/src/compiler.rs", "each_end_of_a_child_is_told_apart", "load");
        },
    },
    Row {
        what: "there is no way to start the compiler: neither `/proc` nor room for a process ahead",
        holds: &[
            ("the reason", "smcp can't start itself as a compiler: "),
            ("how to compile ahead", "`smcp policy compile`"),
        ],
        provoke: |trial| {
            trial.elsewhere("host/code/src/compiler.rs", "without_its_own_file_there_is_no_compiler", "load");
        },
    },
    Row {
        what: "a policy is still being compiled when the time for the start is over",
        holds: &[
            ("the policy", "compiling the policy `guest`"),
            ("the limit", "longer than 500ms"),
            ("how to compile ahead", "smcp config validate"),
        ],
        provoke: |trial| {
            trial.refuses(|bed| {
                bed.configure("policy: {custom: [{name: guest, source: ~/guest.wasm}]}\n");
                let bomb = bombs::policy(&Twin::honest().component(), &bombs::slow_to_compile());
                bed.write("guest.wasm", bomb);
                with_tool(bed);
                Scene::of(&format!("run --timeout 500ms {TOOL}"))
            });
        },
    },
    Row {
        what: "compiled code can't be kept",
        holds: &[("the reason", "their code can't be kept: ")],
        provoke: not_kept,
    },
    Row {
        what: "a foreign import, or other exports",
        holds: &[
            ("found", "it imports fetch"),
            ("allowed", "may import smcp:policy/logging@0.1.0 and nothing else"),
            ("a remedy", "→ "),
        ],
        provoke: |trial| {
            let ours = "    import logging;\n    export evaluator;";
            trial.judges(|bed| put(bed, &Twin::of("import-function")));
            trial.judges(|bed| put(bed, &Twin::honest().world(ours, "import logging;")));
        },
    },
    Row {
        what: "`describe` breaks a rule: name, version, schema",
        holds: &[("the rule", "is not SemVer")],
        provoke: |trial| {
            for file in ["describe-name", "describe-schema", "describe-version"] {
                trial.judges(|bed| twin(bed, file));
            }
        },
    },
    Row {
        what: "settings refused by `check-settings`",
        holds: &[("the problems", "must be a list of"), ("and where", "/allow")],
        provoke: |trial| trial.judges(|bed| twin(bed, "settings-refused")),
    },
    Row {
        what: "settings refused without a reason",
        holds: &[("that it contradicts itself", "names no problem")],
        provoke: |trial| trial.judges(|bed| twin(bed, "settings-refused-without-reason")),
    },
    Row {
        what: "the calls of one policy take longer than its deadline",
        holds: &[("the limit", "500ms")],
        provoke: |trial| trial.judges(|bed| twin(bed, "evaluate-spins")),
    },
    Row {
        what: "more linear memory than allowed",
        holds: &[("asked for in all", "bytes of memory in all"), ("allowed", "33554432"), ("what helps", "→ ")],
        provoke: |trial| trial.judges(|bed| twin(bed, "memory-grows")),
    },
    Row {
        what: "recursion deeper than the stack",
        holds: &[("the limit", "its stack of [SIZE] bytes")],
        provoke: |trial| trial.judges(|bed| twin(bed, "recursion")),
    },
    Row {
        what: "too many table elements, log lines or bytes",
        holds: &[("asked for", "a table of "), ("allowed", "200 lines or [SIZE] bytes")],
        provoke: |trial| {
            trial.judges(|bed| twin(bed, "table-grows"));
            trial.judges(|bed| twin(bed, "log-flood"));
        },
    },
    Row {
        what: "too many memories, tables, instances",
        holds: &[
            ("found", "it has 9 linear memories in all its parts"),
            ("allowed", "and a policy may have 8"),
            ("what helps", "→ "),
        ],
        provoke: |trial| {
            trial.judges(|bed| twin(bed, "many-memories"));
            trial.judges(|bed| twin(bed, "many-instances"));
        },
    },
    Row {
        what: "too many handles, or the log called wrongly",
        holds: &[
            ("the runtime's reason", "a call from inside it was refused"),
            ("what is allowed", "1024 resource handles"),
        ],
        provoke: |trial| trial.judges(|bed| twin(bed, "handles-in-start")),
    },
    Row {
        what: "the system has no memory or thread for it",
        holds: &[
            ("`ulimit -v` and what smcp needs", "smcp needs 524288 (KiB) of address space"),
            ("else the system's reason", "Resource temporarily unavailable"),
        ],
        provoke: |trial| {
            no_room(trial);
            no_thread(trial);
        },
    },
    Row {
        what: "an answer too large, or not to be read",
        holds: &[("the reason", "invalid utf-8")],
        provoke: |trial| {
            trial.judges(|bed| twin(bed, "schema-of-a-megabyte"));
            trial.judges(|bed| twin(bed, "utf8-invalid"));
        },
    },
    Row {
        what: "a verdict that breaks a rule",
        holds: &[("the rule", "findings"), ("found", "257"), ("allowed", "256")],
        provoke: |trial| {
            trial.judges(|bed| twin(bed, "code-with-capitals"));
            trial.judges(|bed| put(bed, &Twin::counting("limit-findings", 257)));
        },
    },
    Row {
        what: "a trap: the guest panics, reads out of bounds, …",
        holds: &[("the kind of trap", "divide by zero"), ("that `-v` shows a panic's text", "`-v`")],
        provoke: |trial| {
            for file in ["unreachable", "load-out-of-bounds", "divide-by-zero"] {
                trial.judges(|bed| twin(bed, file));
            }
        },
    },
    Row {
        what: "smcp itself panics while evaluating",
        holds: &[("where to report it", "SECURITY.md")],
        provoke: |trial| trial.elsewhere("host/policy/src/thread/tests.rs", "a_panic_is_a_fault", "panic"),
    },
];

/// Makes a component of a text of `tests/hostile`, as the custom policy.
fn twin(bed: &TestBed, file: &str) -> String {
    put(bed, &Twin::of(file))
}

pub(crate) fn put(bed: &TestBed, twin: &Twin) -> String {
    bed.write("guest.wasm", twin.component());
    String::new()
}

fn text(bed: &TestBed, text: &str) -> String {
    bed.write("guest.wasm", text);
    String::new()
}

/// The key of the compiled code can't be made: a folder is in its place.
fn not_kept(trial: &Trial<'_>) {
    let bed = TestBed::new();
    with_tool(&bed);
    put(&bed, &Twin::honest());
    bed.configure("policy: {custom: [{name: guest, source: ~/guest.wasm}]}\n");
    bed.write(".mcp/compiled.key/own.txt", "");
    let ran = bed.run(&format!("--json policy check {TOOL}")).succeeds();
    let notices = ran.document()["notices"].clone();
    let notice = notices.as_array().unwrap().iter().find(|notice| notice["code"] == "compiled-each-time").unwrap();
    trial.class("compiled-each-time");
    trial.message(notice["message"].as_str().unwrap());
    trial.message(&bed.run(&format!("policy check {TOOL}")).succeeds().stdout);
}

/// With too little address space, the first thing to fail differs: a thread, a memory, or the compiler.
fn no_room(trial: &Trial<'_>) {
    for kib in (60..260).step_by(4) {
        let bed = TestBed::new();
        bed.write("guest.wasm", Twin::honest().component());
        bed.configure("policy: {custom: [{name: guest, source: ~/guest.wasm}]}\n");
        with_tool(&bed);
        let limited = format!("ulimit -v {}; exec \"$0\" \"$@\"", kib * 1024);
        let ran = Scene::run().behind(&["sh", "-c", &limited]).document(&bed);
        if ran.code != 4 {
            continue;
        }
        let document = ran.document();
        for policy in document["policies"].as_array().unwrap() {
            // With almost no address space the host itself lacks memory, which is a row of its own.
            if let Some(kind) = policy["fault"].as_str().filter(|kind| *kind != "panic") {
                // Where the compiler is the first to meet the end of it, the kind is another, with the same words.
                if kind != "load" {
                    trial.class(kind);
                }
                trial.message(&ran.raw);
            }
        }
    }
}

fn no_thread(trial: &Trial<'_>) {
    if !nix::unistd::Uid::effective().is_root() {
        // The user's other threads count against the limit, so the number of free threads is unknown. Only the message
        // is compared.
        return trial.elsewhere(
            "host/policy/src/thread/tests.rs",
            "work_is_done_on_a_thread_of_the_agreed_name",
            "limit",
        );
    }
    // Under `warn`, `score` asks.
    for (mode, column, exit) in [("strict", 0, 4), ("warn", 1, 4), ("disabled", 2, 0)] {
        let bed = TestBed::new();
        bed.configure(&format!("policy: {{cert_mode: {mode}, origin_mode: {mode}, score_mode: {mode}}}\n"));
        // smcp's own thread, and no other.
        let ran = with_threads(&bed, 1).document(&bed).exits(exit);
        for policy in ["origin", "certification", "score"] {
            trial.effect(&ran, policy, column);
        }
        if column == 0 {
            assert!(ran.raw.contains("Resource temporarily unavailable"), "{ran}");
            trial.message(&ran.raw);
        }
    }
}
