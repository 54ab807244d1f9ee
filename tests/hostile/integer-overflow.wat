;; The one division whose result doesn't fit.
(func $evaluate (param $arguments i32) (result i32) (i32.div_s (i32.const 0x80000000) (i32.const -1)))
