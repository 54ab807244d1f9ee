;; A verdict whose list of findings is the verdict itself.
(data $verdict (i32.const 0x60) (i32 0x60 1 0x60 1))
