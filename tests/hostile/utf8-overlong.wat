;; A message with a NUL that is written in two bytes, which careless decoders let through.
(data $message (i32.const 0x190) "\c0\80 a message")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
