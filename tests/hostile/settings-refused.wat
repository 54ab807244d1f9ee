;; Refuses its settings and says why.
(data $answer (i32.const 0x40) (i32 1 0x50 1))
