;; WASI preview 1 for policies: every call is refused.
;;
;; Compilers for C and Go assume an operating system, and what they make asks for it. smcp has none for a policy. This
;; adapter takes the place of one when a component is made (`smcp policy build`), so that none is asked for.
;; Of it, only the functions that the module imports become a part of the component. `cargo xtask stub` makes
;; wasi-stub.wasm of it, which smcp carries.
;;
;; A runtime that can't start without an answer gets a constant: no arguments, no variables, the same time, zeros for
;; random bytes. So the same policy gives the same verdict everywhere. What is written is dropped, because Go can't even
;; fail if it can't write why. What has no answer, such as leaving the process or waiting, is a trap.
(module
  ;; The memory of the module that asks.
  (import "env" "memory" (memory 0))

  ;; No arguments and no variables: two counts.
  (func (export "args_sizes_get") (export "environ_sizes_get") (param $count i32) (param $bytes i32) (result i32)
    (i32.store (local.get $count) (i32.const 0))
    (i32.store (local.get $bytes) (i32.const 0))
    (i32.const 0))
  (func (export "args_get") (export "environ_get") (param i32 i32) (result i32) (i32.const 0))

  ;; All clocks stand still, one nanosecond after they began: Go takes 0 for a broken one.
  (func (export "clock_time_get") (param $clock i32) (param $precision i64) (param $time i32) (result i32)
    (i64.store (local.get $time) (i64.const 1))
    (i32.const 0))
  (func (export "clock_res_get") (param $clock i32) (param $resolution i32) (result i32)
    (i64.store (local.get $resolution) (i64.const 1))
    (i32.const 0))

  (func (export "random_get") (param $place i32) (param $length i32) (result i32)
    (memory.fill (local.get $place) (i32.const 0) (local.get $length))
    (i32.const 0))

  ;; Nobody else wants to run.
  (func (export "sched_yield") (result i32) (i32.const 0))

  ;; No file is open: `badf`. Libraries look for open folders until they are told that.
  (func (export "fd_close") (export "fd_datasync") (export "fd_sync") (param i32) (result i32) (i32.const 8))
  (func (export "fd_fdstat_get") (export "fd_fdstat_set_flags") (export "fd_filestat_get") (export "fd_prestat_get")
    (export "fd_renumber") (export "fd_tell") (param i32 i32) (result i32) (i32.const 8))
  (func (export "fd_filestat_set_size") (param i32 i64) (result i32) (i32.const 8))
  (func (export "fd_prestat_dir_name") (param i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_allocate") (export "fd_fdstat_set_rights") (param i32 i64 i64) (result i32) (i32.const 8))
  (func (export "fd_seek") (param i32 i64 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_read") (param i32 i32 i32 i32) (result i32) (i32.const 8))
  (func (export "fd_advise") (export "fd_filestat_set_times") (param i32 i64 i64 i32) (result i32) (i32.const 8))
  (func (export "fd_pread") (export "fd_pwrite") (export "fd_readdir") (param i32 i32 i32 i64 i32) (result i32)
    (i32.const 8))

  ;; Whatever is written counts as written: the sum of the lengths in the list at $pieces, of which each is a place and
  ;; a length.
  (func (export "fd_write") (param $file i32) (param $pieces i32) (param $count i32) (param $written i32) (result i32)
    (local $sum i32)
    (block $end
      (loop $next
        (br_if $end (i32.eqz (local.get $count)))
        (local.set $sum (i32.add (local.get $sum) (i32.load offset=4 (local.get $pieces))))
        (local.set $pieces (i32.add (local.get $pieces) (i32.const 8)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next)))
    (i32.store (local.get $written) (local.get $sum))
    (i32.const 0))

  ;; No path leads anywhere, and there is no network: `notcapable`.
  (func (export "sock_shutdown") (param i32 i32) (result i32) (i32.const 76))
  (func (export "path_create_directory") (export "path_remove_directory") (export "path_unlink_file")
    (export "sock_accept") (param i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_get") (export "path_symlink") (export "sock_send") (param i32 i32 i32 i32 i32)
    (result i32) (i32.const 76))
  (func (export "path_readlink") (export "path_rename") (export "sock_recv") (param i32 i32 i32 i32 i32 i32)
    (result i32) (i32.const 76))
  (func (export "path_link") (param i32 i32 i32 i32 i32 i32 i32) (result i32) (i32.const 76))
  (func (export "path_filestat_set_times") (param i32 i32 i32 i32 i64 i64 i32) (result i32) (i32.const 76))
  (func (export "path_open") (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32) (i32.const 76))

  ;; Waiting would never end, and there is no process to leave.
  (func (export "poll_oneoff") (param i32 i32 i32 i32) (result i32) unreachable)
  (func (export "proc_raise") (param i32) (result i32) unreachable)
  (func (export "proc_exit") (param i32) unreachable))
