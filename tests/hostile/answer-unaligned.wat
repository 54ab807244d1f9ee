;; Its answer is not aligned.
(func $evaluate (param $arguments i32) (result i32) (i32.const 0x61))
