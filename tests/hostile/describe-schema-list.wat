;; A schema that is JSON and no schema.
(data $schema (i32.const 0x140) "[]")
