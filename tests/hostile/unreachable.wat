;; Crashes.
(func $evaluate (param $arguments i32) (result i32) (unreachable))
