;; A name in the compact encoding with the longest length there is, mark included.
(@strings latin1+utf16)
(data $description (i32.const 0x00) (i32 0x100 0xffffffff 0x110 5 0x120 25 0x140 2 1))
