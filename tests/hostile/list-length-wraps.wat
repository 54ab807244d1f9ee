;; A list whose size in bytes, counted in 32 bits, is sixteen.
(data $verdict (i32.const 0x60) (i32 0x80 0x15555556 0 0))
