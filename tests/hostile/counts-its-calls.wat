;; Allows the package on its first call and would refuse on its second.
(global $calls (mut i32) (i32.const 0))
(func $evaluate (param $arguments i32) (result i32)
  (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
  (if (i32.gt_u (global.get $calls) (i32.const 1)) (then (i32.store (i32.const 0x64) (i32.const 1))))
  (i32.const 0x60))
(data $verdict (i32.const 0x60) (i32 0x80 0 0 0))
