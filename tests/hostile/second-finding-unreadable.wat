;; One good notice, and a second one behind the end of the memory.
(func $evaluate (param $arguments i32) (result i32)
  (memory.copy (i32.const 0x1ffd0) (i32.const 0x80) (i32.const 48))
  (i32.const 0x60))
(data $verdict (i32.const 0x60) (i32 0 0 0x1ffd0 2))
