;; Logs at a level that is the last one when only its lowest byte is looked at.
(func $evaluate (param $arguments i32) (result i32)
  (call $log (i32.const 0x103) (i32.const 0x1b0) (i32.const 12))
  (i32.const 0x60))
