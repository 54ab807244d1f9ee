;; Would refuse from its second call on, if its memory were as large as the first call left it.
(func $evaluate (param $arguments i32) (result i32)
  (i32.store (i32.const 0x64) (i32.gt_u (memory.grow (i32.const 1)) (i32.const 2)))
  (i32.const 0x60))
(data $verdict (i32.const 0x60) (i32 0x80 0 0 0))
