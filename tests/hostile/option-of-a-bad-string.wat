;; A remedy that is there, and is no text.
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 1 0x7fffffff 9 0 0))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
