;; A notice with a long blank message.
(data $message (i32.const 0x190) "              ")
(data $verdict (i32.const 0x60) (i32 0 0 0x80 1))
