//! The stub of WASI preview 1 refuses every call, and does what it says to memory.
//!
//! It becomes a part of components of compilers that assume an operating system, and runs inside the sandbox like the
//! rest of them. That real ones live with it is shown by `tests/languages`.

use std::collections::BTreeMap;

use wasmtime::Engine;
use wasmtime::Func;
use wasmtime::Instance;
use wasmtime::Memory;
use wasmtime::MemoryType;
use wasmtime::Module;
use wasmtime::Store;
use wasmtime::Val;
use wasmtime::ValType;

const STUB: &str = include_str!("../../sdk/wasi-stub.wat");

/// The answer to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// An error number of WASI; 0 is success.
    Code(i32),
    Trap,
}

use Answer::Code;
use Answer::Trap;

const BADF: Answer = Code(8);
const NOTCAPABLE: Answer = Code(76);

/// Every function of WASI preview 1, and what it answers.
const TABLE: [(&str, Answer); 46] = [
    ("args_get", Code(0)),
    ("args_sizes_get", Code(0)),
    ("clock_res_get", Code(0)),
    ("clock_time_get", Code(0)),
    ("environ_get", Code(0)),
    ("environ_sizes_get", Code(0)),
    ("fd_advise", BADF),
    ("fd_allocate", BADF),
    ("fd_close", BADF),
    ("fd_datasync", BADF),
    ("fd_fdstat_get", BADF),
    ("fd_fdstat_set_flags", BADF),
    ("fd_fdstat_set_rights", BADF),
    ("fd_filestat_get", BADF),
    ("fd_filestat_set_size", BADF),
    ("fd_filestat_set_times", BADF),
    ("fd_pread", BADF),
    ("fd_prestat_dir_name", BADF),
    ("fd_prestat_get", BADF),
    ("fd_pwrite", BADF),
    ("fd_read", BADF),
    ("fd_readdir", BADF),
    ("fd_renumber", BADF),
    ("fd_seek", BADF),
    ("fd_sync", BADF),
    ("fd_tell", BADF),
    ("fd_write", Code(0)),
    ("path_create_directory", NOTCAPABLE),
    ("path_filestat_get", NOTCAPABLE),
    ("path_filestat_set_times", NOTCAPABLE),
    ("path_link", NOTCAPABLE),
    ("path_open", NOTCAPABLE),
    ("path_readlink", NOTCAPABLE),
    ("path_remove_directory", NOTCAPABLE),
    ("path_rename", NOTCAPABLE),
    ("path_symlink", NOTCAPABLE),
    ("path_unlink_file", NOTCAPABLE),
    ("poll_oneoff", Trap),
    ("proc_exit", Trap),
    ("proc_raise", Trap),
    ("random_get", Code(0)),
    ("sched_yield", Code(0)),
    ("sock_accept", NOTCAPABLE),
    ("sock_recv", NOTCAPABLE),
    ("sock_send", NOTCAPABLE),
    ("sock_shutdown", NOTCAPABLE),
];

/// The stub, with one page of memory in which every byte is 0xaa.
struct Stub {
    store: Store<()>,
    memory: Memory,
    functions: BTreeMap<String, Func>,
}

impl Stub {
    fn new() -> Self {
        let engine = Engine::default();
        let module = Module::new(&engine, wat::parse_str(STUB).unwrap()).unwrap();
        let mut store = Store::new(&engine, ());
        let memory = Memory::new(&mut store, MemoryType::new(1, None)).unwrap();
        memory.data_mut(&mut store).fill(0xaa);
        let instance = Instance::new(&mut store, &module, &[memory.into()]).unwrap();
        let names: Vec<_> = module.exports().map(|export| export.name().to_owned()).collect();
        let function = |name: String| (name.clone(), instance.get_func(&mut store, &name).unwrap());
        let functions = names.into_iter().map(function).collect();
        Self { store, memory, functions }
    }

    fn call(&mut self, name: &str, arguments: &[Val]) -> Answer {
        let function = self.functions[name];
        let mut results = vec![Val::I32(-1); function.ty(&self.store).results().len()];
        match function.call(&mut self.store, arguments, &mut results) {
            Ok(()) => Code(results[0].unwrap_i32()),
            Err(_) => Trap,
        }
    }

    /// Calls a function with the same small number for everything.
    fn call_with(&mut self, name: &str, number: i32) -> Answer {
        let parameters: Vec<_> = self.functions[name].ty(&self.store).params().collect();
        let argument = |parameter: &ValType| {
            if parameter.is_i64() { Val::I64(number.into()) } else { Val::I32(number) }
        };
        self.call(name, &parameters.iter().map(argument).collect::<Vec<_>>())
    }

    fn bytes(&self, place: usize, length: usize) -> &[u8] {
        &self.memory.data(&self.store)[place..place + length]
    }
}

#[test]
fn every_function_of_preview_1_is_there_and_answers_as_the_table_says() {
    let mut stub = Stub::new();
    let found: Vec<_> = stub.functions.keys().cloned().collect();
    assert_eq!(found, TABLE.map(|(name, _)| name.to_owned()));
    for (name, expected) in TABLE {
        for number in [0, 3, 64] {
            assert_eq!(stub.call_with(name, number), expected, "{name}({number}, …)");
        }
    }
}

#[test]
fn what_is_refused_changes_no_memory() {
    let mut stub = Stub::new();
    for (name, _) in TABLE.into_iter().filter(|(_, answer)| [BADF, NOTCAPABLE].contains(answer)) {
        stub.call_with(name, 64);
    }
    assert!(stub.bytes(0, 65_536).iter().all(|byte| *byte == 0xaa));
}

#[test]
fn what_is_answered_is_a_constant_and_lies_where_it_was_asked_for() {
    let mut stub = Stub::new();
    let counts = [Val::I32(8), Val::I32(16)];
    assert_eq!(stub.call("args_sizes_get", &counts), Code(0));
    assert_eq!((stub.bytes(8, 5), stub.bytes(16, 5)), (&[0, 0, 0, 0, 0xaa][..], &[0, 0, 0, 0, 0xaa][..]));
    for clock in 0..4 {
        assert_eq!(stub.call("clock_time_get", &[Val::I32(clock), Val::I64(1), Val::I32(32)]), Code(0));
        assert_eq!(stub.bytes(32, 9), [1, 0, 0, 0, 0, 0, 0, 0, 0xaa], "clock {clock}");
    }
    assert_eq!(stub.call("random_get", &[Val::I32(64), Val::I32(3)]), Code(0));
    assert_eq!(stub.bytes(63, 5), [0xaa, 0, 0, 0, 0xaa]);
    assert_eq!(stub.call("random_get", &[Val::I32(65_535), Val::I32(2)]), Trap, "outside of the memory");
}

#[test]
fn what_is_written_counts_as_written_and_goes_nowhere() {
    let mut stub = Stub::new();
    // Two pieces, of 5 and of 7 bytes.
    let pieces: Vec<u8> = [100_u32, 5, 200, 7].into_iter().flat_map(u32::to_le_bytes).collect();
    stub.memory.write(&mut stub.store, 0, &pieces).unwrap();
    for (count, written) in [(0, 0), (1, 5), (2, 12)] {
        let arguments = [Val::I32(1), Val::I32(0), Val::I32(count), Val::I32(48)];
        assert_eq!(stub.call("fd_write", &arguments), Code(0));
        assert_eq!(stub.bytes(48, 4), u32::to_le_bytes(written));
    }
    assert_eq!(stub.bytes(0, 16), pieces);
}
