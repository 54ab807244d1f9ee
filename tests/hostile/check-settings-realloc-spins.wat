;; Hangs when it is handed its settings, in a call that it makes itself.
(func $realloc (param $old i32) (param i32 i32) (param $size i32) (result i32)
  (loop $forever (br_if $forever (i32.ge_u (local.get $size) (i32.const 1))))
  (i32.const 0x10000))
