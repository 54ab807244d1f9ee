;; A value for on-warn that is neither notify nor confirm.
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x140 2 9))
