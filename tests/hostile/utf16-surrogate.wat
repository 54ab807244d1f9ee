;; A name in UTF-16 that ends in half of a character.
(@strings utf16)
(data $name (i32.const 0x100) "h\00o\00n\00e\00s\00\00\d8")
