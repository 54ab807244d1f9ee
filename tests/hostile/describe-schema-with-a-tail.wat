;; A schema with a second document behind it.
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x300 5 1))
(data $schema (i32.const 0x300) "{} {}")
