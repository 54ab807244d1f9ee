;; A schema with a key twice, once written with an escape.
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x300 32 1))
(data $schema (i32.const 0x300) "{\22type\22:true,\22\5cu0074ype\22:false}")
