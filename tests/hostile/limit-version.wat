;; A version of COUNT bytes, most of them a pre-release.
(memory $memory 3)
(func $describe (result i32)
  (memory.fill (i32.const 0x20006) (i32.const 0x61) (i32.const COUNT))
  (i32.const 0x00))
(data $description (i32.const 0x00) (i32 0x100 6 0x20000 COUNT 0x120 25 0x140 2 1))
(data (i32.const 0x20000) "1.0.0-")
