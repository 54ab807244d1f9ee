;; A name in the compact encoding whose length says that it is UTF-16, and whose bytes are half of a character.
(@strings latin1+utf16)
(data $description (i32.const 0x00) (i32 0x100 0x80000003 0x110 5 0x120 25 0x140 2 1))
(data $name (i32.const 0x100) "\00\d8\00\d8\00\d8")
