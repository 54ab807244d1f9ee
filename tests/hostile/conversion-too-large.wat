;; Makes a whole number of one that is too large for it, which is another trap than that of no number.
(func $evaluate (param $arguments i32) (result i32) (i32.trunc_f64_s (f64.const 1e300)))
