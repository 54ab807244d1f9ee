;; A code with letters of another script that look like ours.
(data $code (i32.const 0x180) "pl\d0\b0nte")
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
