;; Crashes if a segment that an earlier call has given up stays given up.
(data $segment "once")
(func $count (param $answer i32) (result i32)
  (memory.init $segment (i32.const 0x8000) (i32.const 0) (i32.const 4))
  (data.drop $segment)
  (local.get $answer))
(func $describe (result i32) (call $count (i32.const 0x00)))
(func $check-settings (param i32 i32) (result i32) (call $count (i32.const 0x40)))
(func $evaluate (param $arguments i32) (result i32) (call $count (i32.const 0x60)))
