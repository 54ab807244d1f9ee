;; A list that lies outside of its memory.
(data $verdict (i32.const 0x60) (i32 0x7ffffff0 1 0 0))
