;; COUNT extensions without a name or a value.
(memory $memory 3)
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 0 0 0 0x20000 COUNT))
(data $verdict (i32.const 0x60) (i32 0 0 0x80 1))
