;; Reads beyond its memory.
(func $evaluate (param $arguments i32) (result i32) (i32.load (i32.const 0xfffffff0)))
