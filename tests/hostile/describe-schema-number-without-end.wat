;; A schema with a number that no machine can hold.
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x300 21 1))
(data $schema (i32.const 0x300) "{\22minimum\22:1e999999}")
