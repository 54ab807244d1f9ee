;; The name of a fact that is longer than any text may be.
(memory $memory 3)
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 1 0x20000 5000 0 0 0 0 0))
(func $evaluate (param $arguments i32) (result i32)
  (memory.fill (i32.const 0x20000) (i32.const 0x61) (i32.const 5000))
  (i32.const 0x60))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
