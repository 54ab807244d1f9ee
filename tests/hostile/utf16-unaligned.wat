;; A name in UTF-16 at an odd address.
(@strings utf16)
(data $description (i32.const 0x00) (i32 0x101 3 0x110 5 0x120 25 0x140 2 1))
