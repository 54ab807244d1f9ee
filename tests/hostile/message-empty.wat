;; A finding with an empty message.
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 0 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
