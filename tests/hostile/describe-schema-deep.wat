;; A schema of ten thousand lists in one another: a parser that recurses as deep runs out of its stack.
(memory $memory 3)
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x20000 20000 1))
(func $describe (result i32)
  (memory.fill (i32.const 0x20000) (i32.const 0x5b) (i32.const 10000))
  (memory.fill (i32.const 0x22710) (i32.const 0x5d) (i32.const 10000))
  (i32.const 0x00))
