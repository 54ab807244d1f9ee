;; A pair of texts of which the second one is not in the memory: checked after the first is taken.
(data $pair (i32.const 0x300) (i32 0x190 14 0x20000 1))
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 0 0 0 0x300 1))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
