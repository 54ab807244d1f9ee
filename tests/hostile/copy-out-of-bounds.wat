;; Copies from beyond its memory.
(func $evaluate (param $arguments i32) (result i32)
  (memory.copy (i32.const 0) (i32.const 0x7fffffff) (i32.const 16))
  (i32.const 0x60))
