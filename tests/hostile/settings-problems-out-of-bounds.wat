;; Refuses its settings for reasons outside of its memory.
(data $answer (i32.const 0x40) (i32 1 0xfffffff0 1))
