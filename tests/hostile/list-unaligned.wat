;; A list that is not aligned.
(data $verdict (i32.const 0x60) (i32 0x81 1 0 0))
