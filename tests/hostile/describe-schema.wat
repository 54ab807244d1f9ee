;; A schema that is no JSON.
(data $schema (i32.const 0x140) "{,")
