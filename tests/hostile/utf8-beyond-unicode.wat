;; A message with a character above the last one there is.
(data $message (i32.const 0x190) "\f4\90\80\80 message")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
