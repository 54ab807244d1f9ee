;; A message that ends in the middle of a character, whose rest lies behind it.
(data $message (i32.const 0x190) "a message 12\e2\82\ac")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
