;; A message that is not UTF-8.
(data $message (i32.const 0x190) "\ff\fe\80\80 not text")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
