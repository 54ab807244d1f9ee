;; Allows, with a remark that breaks the rules: what would not block is held to the same.
(data $code (i32.const 0x180) "plan ed")
(data $verdict (i32.const 0x60) (i32 0 0 0x80 1))
