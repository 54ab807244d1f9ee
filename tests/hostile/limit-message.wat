;; A notice with a message of COUNT bytes.
(memory $memory 3)
(func $evaluate (param $arguments i32) (result i32)
  (memory.fill (i32.const 0x20000) (i32.const 0x61) (i32.const COUNT))
  (i32.const 0x60))
(data $finding (i32.const 0x80) (i32 0x180 7 0x20000 COUNT 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0 0 0x80 1))
