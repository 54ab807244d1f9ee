;; A code of 65 bytes.
(data $code (i32.const 0x300) "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
(data $finding (i32.const 0x80) (i32 0x300 65 0x190 14 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
