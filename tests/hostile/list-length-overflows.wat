;; A list whose size in bytes is larger than an address can be.
(data $verdict (i32.const 0x60) (i32 0x80 0xffffffff 0 0))
