;; Makes an integer of what is not a number.
(func $evaluate (param $arguments i32) (result i32) (i32.trunc_f32_u (f32.const nan)))
