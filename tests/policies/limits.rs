//! Every limit: a policy at the limit passes, one above it is a fault.

use crate::faults::blames;
use crate::guest::Twin;
use crate::trial::PATIENT;
use crate::trial::judge;
use smcp_model::limits;
use smcp_model::limits::PolicyLimits;
use smcp_model::limits::parts;
use smcp_model::verdict::FaultKind;
use smcp_model::verdict::Outcome;
use smcp_policy::ComponentShape;

const PAGE: usize = 65_536;
/// Pages of the honest twin's memory.
const PAGES_OF_HONEST: usize = 2;

/// Core instances that the encoder makes of a policy that logs: its module, and two that connect it to the import.
const INSTANCES_OF_HONEST: usize = 3;
/// Tables that the encoder makes for the same reason.
const TABLES_OF_HONEST: usize = 1;
/// Instances of components: the encoder makes one for the exports, and the test one of what it nests.
const COMPONENT_INSTANCES_OF_HONEST: usize = 2;
/// The most data segments that each of two instances may have, beside those of the honest twin.
const DATA_IN_EACH: usize = 99_993;
/// The most bytes of data that each of five hundred instances may have, beside those of the honest twin and the head of
/// the section.
const DATA_BYTES_IN_EACH: usize = 268_429;
/// Elements of the segment with which the encoder fills its table.
const ELEMENTS_OF_HONEST: usize = 1;
/// Imports of its core instances.
const IMPORTS_OF_HONEST: usize = 3;
/// Functions of the honest twin, and of what the encoder makes around it.
const FUNCTIONS_OF_HONEST: usize = 8;
/// Bytes of a function's body around its instructions: the count of its locals, and its end.
const BODY_OVERHEAD: usize = 2;

/// The text with a number, the largest allowed number, the fault above it, and words of the message.
pub(crate) const TABLE: &[(&str, usize, FaultKind, &str)] = &[
    (
        "limit-memory",
        PATIENT.memory / PAGE,
        FaultKind::Memory,
        "asked for 33619968 bytes of memory in all, and a policy may have 33554432",
    ),
    (
        "limit-memory-grown",
        PATIENT.memory / PAGE,
        FaultKind::Memory,
        "asked for 33619968 bytes of memory in all, and a policy may have 33554432",
    ),
    ("limit-table", limits::TABLE_ELEMENTS, FaultKind::Limit, "a table of 20001 elements"),
    ("limit-table-grown", limits::TABLE_ELEMENTS, FaultKind::Limit, "a table of 20001 elements"),
    ("limit-log-lines", limits::LOG_LINES, FaultKind::Limit, "more than 200 lines"),
    ("limit-log-line", limits::LOG_LINE, FaultKind::Limit, "a line of 4097 bytes"),
    ("limit-log-bytes", limits::LOG, FaultKind::Limit, "65536 bytes"),
    ("limit-findings", limits::FINDINGS, FaultKind::Output, "257 findings"),
    ("limit-message", limits::MESSAGE, FaultKind::Output, "has 4097 bytes"),
    ("limit-version", limits::POLICY_VERSION, FaultKind::Output, "its version has 257 bytes"),
    ("limit-verdict", limits::VERDICT, FaultKind::Output, "more than 65536 bytes together"),
    ("limit-extensions", limits::EXTENSIONS, FaultKind::Output, "257 extensions together"),
    (
        "limit-extension-bytes",
        limits::VERDICT - 16 * limits::EXTENSION_COST,
        FaultKind::Output,
        "more than 65536 bytes together",
    ),
];

pub(crate) fn files() -> Vec<&'static str> {
    TABLE.iter().map(|(file, ..)| *file).chain(["limit-handles"]).collect()
}

#[track_caller]
fn passes(what: &str, twin: &Twin, limits: PolicyLimits) {
    let outcome = judge(twin.component(), limits).outcome;
    assert!(matches!(outcome, Outcome::Pass { .. }), "{what}: {outcome:?}");
}

/// One policy at the limit, which passes, and one above it, which doesn't.
#[track_caller]
fn holds(what: &str, at: Twin, above: Twin, kind: FaultKind, says: &str) {
    passes(what, &at, PATIENT);
    let found = blames(&judge(above.component(), PATIENT), kind, says);
    assert!(found.is_ok(), "{what}, above the limit: {found:?}");
}

#[test]
fn every_limit_on_a_running_policy_is_exact() {
    for (file, most, kind, says) in TABLE {
        holds(file, Twin::counting(file, *most), Twin::counting(file, most + 1), *kind, says);
    }
}

#[test]
fn resource_handles_are_bounded() {
    let twin = |count| {
        Twin::counting("limit-handles", count).world(
            "export evaluator;",
            "export evaluator; export handles: interface { resource thing { constructor(); } }",
        )
    };
    holds(
        "handles",
        twin(limits::COMPONENT_HANDLES),
        twin(limits::COMPONENT_HANDLES + 1),
        FaultKind::Limit,
        "handle limit exceeded",
    );
}

#[test]
fn tables_are_bounded() {
    let twin = |tables: usize| Twin::honest().with(&"(table 1 funcref)".repeat(tables - TABLES_OF_HONEST));
    let says = "it has 9 tables in all its parts, and a policy may have 8";
    holds("tables", twin(limits::TABLES), twin(limits::TABLES + 1), FaultKind::Limit, says);
}

/// A policy of `memories` memories in all, each in a module of its own, that of the honest twin among them; the others
/// have `pages` each.
fn of_memories(memories: usize, pages: usize) -> Twin {
    let more = "(core instance (instantiate $memory))".repeat(memories - 1);
    Twin::honest().with(&format!("(component (core module $memory (memory {pages})) {more})"))
}

#[test]
fn memories_are_bounded() {
    let says = "it has 9 linear memories in all its parts, and a policy may have 8";
    holds("memories", of_memories(8, 0), of_memories(9, 0), FaultKind::Limit, says);
    let nine = PolicyLimits { memories: 9, ..PATIENT };
    passes("nine memories", &of_memories(9, 1), nine);
    let says = "it has 10 linear memories in all its parts, and a policy may have 9";
    assert_eq!(blames(&judge(of_memories(10, 1).component(), nine), FaultKind::Limit, says), Ok(()));
}

/// Globals are memory, too: each whole page of them is a page less.
#[test]
fn globals_count_as_memory() {
    let limits = PolicyLimits { memory: 4 * PAGE, ..PATIENT };
    // Those of one page, one of which the honest twin has.
    let page = PAGE / parts::GLOBAL_SIZE;
    let with = |pages: usize, globals: usize| {
        let globals = "(global i32 (i32.const 0)) ".repeat(globals - 1);
        let memory = pages - PAGES_OF_HONEST;
        inside(&format!("(core module $m (memory {memory}) {globals}) (core instance (instantiate $m))"))
    };
    passes("almost a page of globals", &with(4, page - 1), limits);
    passes("a page of globals and one page less", &with(3, page), limits);
    let fails = |what: &str, twin: &Twin, says: &str| {
        assert_eq!(blames(&judge(twin.component(), limits), FaultKind::Memory, says), Ok(()), "{what}");
    };
    fails("a page of globals", &with(4, page), "asked for 327680 bytes of memory in all, and a policy may have 262144");
    fails("globals alone", &with(2, 5 * page), "its globals take 327680 bytes of memory, and it may have 262144");
}

/// Not each memory for itself: eight that are each within the limit are beyond it together.
#[test]
fn the_bytes_of_all_memories_count_together() {
    let pages = PATIENT.memory / PAGE - PAGES_OF_HONEST;
    let says = "asked for 33619968 bytes of memory in all, and a policy may have 33554432";
    holds("the sum", of_memories(2, pages), of_memories(2, pages + 1), FaultKind::Memory, says);
    let seven = (PATIENT.memory / PAGE - PAGES_OF_HONEST) / 7;
    passes("eight memories", &of_memories(8, seven), PATIENT);
    let above = judge(of_memories(8, seven + 1).component(), PATIENT);
    assert_eq!(blames(&above, FaultKind::Memory, "a policy may have 33554432"), Ok(()));
    // Grown in turns, each by a third of what there may be.
    let grows = |times: usize| {
        let third = PATIENT.memory / PAGE / 3;
        let module =
            format!("(core module $grows (memory 0) (func $go (drop (memory.grow (i32.const {third})))) (start $go))");
        let more = "(core instance (instantiate $grows))".repeat(times);
        Twin::honest().with(&format!("(component {module} {more})"))
    };
    holds("growth", grows(2), grows(4), FaultKind::Memory, "bytes of memory in all");
}

#[test]
fn parts_with_memories_of_their_own_pass() {
    passes("two parts and an adapter", &Twin::of("adapter-between-parts"), PATIENT);
}

/// A policy of `instances` core instances in all.
fn of_instances(instances: usize) -> Twin {
    let more = "(core instance (instantiate $empty))".repeat(instances - INSTANCES_OF_HONEST);
    Twin::honest().with(&format!("(component (core module $empty) {more})"))
}

/// What the configuration can't raise further holds, too.
#[test]
fn every_ceiling_is_exact() {
    let most = PolicyLimits::CEILING;
    let table = [
        (
            of_memories(64, 1),
            of_memories(65, 1),
            FaultKind::Limit,
            "65 linear memories in all its parts, and a policy may have 64",
        ),
        (
            of_instances(512),
            of_instances(513),
            FaultKind::Limit,
            "513 core instances in all its parts, and a policy may have 512",
        ),
        (
            Twin::counting("limit-memory", most.memory / PAGE),
            Twin::counting("limit-memory", most.memory / PAGE + 1),
            FaultKind::Memory,
            "asked for 536936448 bytes of memory in all, and a policy may have 536870912",
        ),
        (
            Twin::counting("limit-memory-grown", most.memory / PAGE),
            Twin::counting("limit-memory-grown", most.memory / PAGE + 1),
            FaultKind::Memory,
            "asked for 536936448 bytes of memory in all, and a policy may have 536870912",
        ),
    ];
    for (at, above, kind, says) in table {
        passes(says, &at, most);
        let evaluated = judge(above.component(), most);
        assert_eq!(blames(&evaluated, kind, says), Ok(()));
        // Nothing is offered that a configuration would refuse.
        let Outcome::Fault(fault) = evaluated.outcome else { panic!("{says}") };
        assert!(!fault.remedy.unwrap().as_str().contains("limits:"), "{says}");
    }
}

#[test]
fn core_instances_are_bounded() {
    holds(
        "instances",
        of_instances(PATIENT.instances),
        of_instances(PATIENT.instances + 1),
        FaultKind::Limit,
        "it has more than 64 core instances in all its parts",
    );
}

#[test]
fn functions_are_bounded() {
    let twin = |functions: usize| Twin::honest().with(&"(func)".repeat(functions - FUNCTIONS_OF_HONEST));
    holds(
        "functions",
        twin(limits::FUNCTIONS),
        twin(limits::FUNCTIONS + 1),
        FaultKind::Load,
        "more than 50000 functions",
    );
}

#[test]
fn the_body_of_a_function_is_bounded() {
    let twin = |bytes: usize| Twin::honest().with(&format!("(func {})", "nop ".repeat(bytes - BODY_OVERHEAD)));
    holds(
        "body",
        twin(limits::FUNCTION_BODY),
        twin(limits::FUNCTION_BODY + 1),
        FaultKind::Load,
        "more than 1048576 bytes in one function",
    );
}

#[test]
fn the_file_is_bounded() {
    let component = Twin::honest().component();
    let size = component.len();
    let outcome = judge(component.clone(), PolicyLimits { component_size: size, ..PATIENT }).outcome;
    assert!(matches!(outcome, Outcome::Pass { .. }), "{outcome:?}");
    let above = judge(component, PolicyLimits { component_size: size - 1, ..PATIENT });
    assert_eq!(blames(&above, FaultKind::Load, &format!("has {size} bytes")), Ok(()));
}

/// The limits of the configuration hold, not the defaults.
#[test]
fn the_configured_limits_are_the_ones_that_hold() {
    let table = [
        (PolicyLimits { memory: PAGE, ..PATIENT }, FaultKind::Memory, "and a policy may have 65536"),
        (PolicyLimits { memories: 0, ..PATIENT }, FaultKind::Limit, "and a policy may have 0"),
        (PolicyLimits { instances: 2, ..PATIENT }, FaultKind::Limit, "more than 2 core instances"),
        (PolicyLimits { output: 8, ..PATIENT }, FaultKind::Limit, "too much data"),
        (PolicyLimits { component_size: 100, ..PATIENT }, FaultKind::Load, "may have 100"),
    ];
    for (limits, kind, says) in table {
        assert_eq!(blames(&judge(Twin::honest().component(), limits), kind, says), Ok(()), "{limits:?}");
    }
}

/// A component inside the honest twin.
fn inside(forms: &str) -> Twin {
    Twin::honest().with(&format!("(component {forms})"))
}

/// What would cost a compiler too much is counted before it is called: at each limit a component gets through, above it
/// doesn't. Nothing is compiled here.
#[test]
fn what_a_compiler_has_to_write_out_is_bounded() {
    let function = |body: &str| Twin::honest().with(&format!("(func $large {body})"));
    let fill = "i32.const 0 i32.const 0 i32.const 0 memory.fill ";
    let modules = |forms: &str, more: &str| inside(&format!("(core module $module {forms}) {more}"));
    let imports = |count: usize| (0..count).map(|it| format!("(import \"\" \"{it}\" (func))")).collect::<String>();
    type Make<'m> = &'m dyn Fn(usize) -> Twin;
    let table: [(usize, Make<'_>, FaultKind, &str); 11] = [
        (parts::LOOPS, &|loops| function(&"loop end ".repeat(loops)), FaultKind::Load, "more than 4000 loops in one"),
        (
            parts::LOOP_VALUES / 100,
            &|locals| function(&format!("(local {}) {}", "i32 ".repeat(locals), "loop end ".repeat(100))),
            FaultKind::Load,
            "more than 200000 values in the loops",
        ),
        (parts::BULK_OPERATIONS, &|fills| function(&fill.repeat(fills)), FaultKind::Load, "more than 10000 bulk"),
        (
            parts::BRANCHES / 2,
            // The last one is where all other numbers lead to, and no way of the table.
            &|ways| {
                function(&format!("br_table {} 0 br_table {} 0", "0 ".repeat(ways), "0 ".repeat(parts::BRANCHES / 2)))
            },
            FaultKind::Load,
            "more than 600000 ways",
        ),
        (
            parts::SEGMENT_ELEMENTS / 2 - ELEMENTS_OF_HONEST,
            &|elements| {
                let half = |count: usize| format!("(elem func {})", "0 ".repeat(count));
                modules(&half(elements), &format!("(core module {})", half(parts::SEGMENT_ELEMENTS / 2)))
            },
            FaultKind::Load,
            "100001 elements of segments in all its parts, and a policy may have 100000",
        ),
        (
            parts::COMPONENT_INSTANCES - COMPONENT_INSTANCES_OF_HONEST,
            &|instances| {
                inside(&format!("(component $empty) {}", "(instance (instantiate $empty)) ".repeat(instances)))
            },
            FaultKind::Limit,
            "1001 instances of components in all its parts, and a policy may have 1000",
        ),
        (
            parts::GLOBALS - 1,
            &|globals| modules(&"(global i32 (i32.const 0)) ".repeat(globals), "(core instance (instantiate $module))"),
            FaultKind::Limit,
            "65537 globals in all its parts, and a policy may have 65536",
        ),
        (
            1_000 - IMPORTS_OF_HONEST,
            &|count| {
                let more = "(core instance (instantiate $module)) ".repeat(499);
                let last = format!("(core module $last {}) (core instance (instantiate $last))", imports(count));
                modules(&imports(1_000), &format!("{more} {last}"))
            },
            FaultKind::Load,
            "500001 imports of core instances in all its parts, and a policy may have 500000",
        ),
        (
            DATA_IN_EACH,
            &|segments| {
                let twice = "(core instance (instantiate $module)) ".repeat(2);
                modules(&r#"(data "") "#.repeat(segments), &twice)
            },
            FaultKind::Load,
            "data segments in all its parts, and a policy may have 200000",
        ),
        (
            DATA_BYTES_IN_EACH,
            &|bytes| {
                let many = "(core instance (instantiate $module)) ".repeat(500);
                modules(&format!("(data \"{}\")", "a".repeat(bytes)), &many)
            },
            FaultKind::Load,
            "bytes in data segments in all its parts, and a policy may have 134217728",
        ),
        (
            parts::LOWERED - 1,
            &|lowered| inside(&"(core func (canon lower (func 0))) ".repeat(lowered)),
            FaultKind::Load,
            "1001 functions handed on in all its parts, and a policy may have 1000",
        ),
    ];
    for (most, make, kind, says) in table {
        let shape = |count| ComponentShape::of(&make(count).component(), PATIENT.component_size);
        assert_eq!(shape(most).err(), None, "{says}");
        let fault = shape(most + 1).unwrap_err();
        assert!(fault.kind == kind && fault.message.as_str().contains(says), "{says}: {fault:?}");
    }
}
