;; Would refuse if one of its tables were as large as an earlier call left it.
(table $grows 0 funcref)
(func $count (param $answer i32) (result i32)
  (i32.store (i32.const 0x64) (table.grow $grows (ref.null func) (i32.const 0)))
  (drop (table.grow $grows (ref.null func) (i32.const 1)))
  (local.get $answer))
(func $check-settings (param i32 i32) (result i32) (call $count (i32.const 0x40)))
(func $evaluate (param $arguments i32) (result i32) (call $count (i32.const 0x60)))
(data $verdict (i32.const 0x60) (i32 0x80 0 0 0))
