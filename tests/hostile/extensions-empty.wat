;; Twenty thousand extensions without a name or a value, which have no bytes.
(memory $memory 8)
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 0 0 0 0x20000 20000))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
