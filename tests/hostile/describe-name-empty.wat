;; No name at all, at an address that is out of bounds for anything longer.
(data $description (i32.const 0x00) (i32 0x20000 0 0x110 5 0x120 25 0x140 2 1))
