;; A good finding whose list of extensions lies outside of the memory.
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 0 0 0 0x1fff8 2))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
