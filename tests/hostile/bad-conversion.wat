;; Converts a value that is not a number to an integer.
(func $evaluate (param $arguments i32) (result i32) (i32.trunc_f32_u (f32.const nan)))
