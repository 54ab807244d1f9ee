;; A summary of 4,097 bytes.
(memory $memory 3)
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x20000 4097 0x140 2 1))
(func $describe (result i32)
  (memory.fill (i32.const 0x20000) (i32.const 0x61) (i32.const 4097))
  (i32.const 0x00))
