;; Logs with a level that does not exist.
(func $evaluate (param $arguments i32) (result i32)
  (call $log (i32.const 77) (i32.const 0x1b0) (i32.const 12))
  (i32.const 0x60))
