;; A schema that is not JSON.
(data $schema (i32.const 0x140) "{,")
