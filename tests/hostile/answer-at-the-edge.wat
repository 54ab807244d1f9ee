;; Its answer begins inside of its memory and ends outside.
(func $evaluate (param $arguments i32) (result i32) (i32.const 0x1fffc))
