;; A schema that is JSON, but not a schema.
(data $schema (i32.const 0x140) "[]")
