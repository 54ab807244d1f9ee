;; The same, with the count in memory and begun by describe and check-settings.
(func $count (param $answer i32) (result i32)
  (i32.store (i32.const 0x400) (i32.add (i32.load (i32.const 0x400)) (i32.const 1)))
  (i32.store (i32.const 0x64) (i32.gt_u (i32.load (i32.const 0x400)) (i32.const 1)))
  (local.get $answer))
(func $describe (result i32) (call $count (i32.const 0x00)))
(func $check-settings (param $settings i32) (param $length i32) (result i32) (call $count (i32.const 0x40)))
(func $evaluate (param $arguments i32) (result i32) (call $count (i32.const 0x60)))
(data $verdict (i32.const 0x60) (i32 0x80 0 0 0))
