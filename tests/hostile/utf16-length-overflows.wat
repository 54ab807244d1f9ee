;; A name in UTF-16 whose length in bytes is larger than an address can be.
(@strings utf16)
(data $description (i32.const 0x00) (i32 0x100 0x80000003 0x110 5 0x120 25 0x140 2 1))
