;; Does its work, and refuses.
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
