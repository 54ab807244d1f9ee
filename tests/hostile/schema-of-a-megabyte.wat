;; A schema of a mebibyte, all of it in bounds.
(memory $memory 32)
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x10000 0x100000 1))
