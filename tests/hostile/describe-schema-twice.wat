;; A schema that has a key twice: parsers disagree which of the two counts.
(data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x300 37 1))
(data $schema (i32.const 0x300) "{\22title\22:\22a\22,\22x\22:1,\22title\22:\22b\22,\22y\22:2}")
