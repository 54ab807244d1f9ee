;; A message that begins in bounds and whose end wraps around to the beginning.
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 0xffffffff 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
