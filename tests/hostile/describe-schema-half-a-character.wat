;; A schema with an escape that is half of a character.
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x300 18 1))
(data $schema (i32.const 0x300) "{\22title\22:\22\5cud800\22}")
