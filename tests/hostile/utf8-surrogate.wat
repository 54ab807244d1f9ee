;; A message with half of a surrogate pair in it, which UTF-8 doesn't have.
(data $message (i32.const 0x190) "\ed\a0\80 is half")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
