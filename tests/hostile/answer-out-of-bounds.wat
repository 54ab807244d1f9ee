;; Its answer lies outside of its memory.
(func $evaluate (param $arguments i32) (result i32) (i32.const 0x7ffffff0))
