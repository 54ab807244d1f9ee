;; A code that machines can't rely on.
(data $code (i32.const 0x180) "Planted")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
