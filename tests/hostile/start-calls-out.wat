;; Logs while it is started, before the table is filled through which it calls.
(func $early (call $log (i32.const 1) (i32.const 0x1b0) (i32.const 12)))
(start $early)
