;; Refuses its settings and names no problem.
(data $answer (i32.const 0x40) (i32 1 0 0))
