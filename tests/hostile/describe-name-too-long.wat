;; A name of 65 bytes.
(data $description (i32.const 0x00) (i32 0x300 65 0x110 5 0x120 25 0x140 2 1))
(data $long (i32.const 0x300) "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
