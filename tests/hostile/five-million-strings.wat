;; Two and a half million pairs of empty strings, all of them in bounds.
(memory $memory 700)
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 0 0 0 0x10000 2500000))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
