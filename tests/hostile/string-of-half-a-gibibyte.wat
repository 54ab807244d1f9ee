;; A message of nearly half a gibibyte, all of it in bounds.
(memory $memory 8100)
(data $finding (i32.const 0x80) (i32 0x180 7 0x10000 0x1f000000 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
