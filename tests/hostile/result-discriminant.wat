;; A result that is neither ok nor err.
(data $answer (i32.const 0x40) (i32 255 0 0))
