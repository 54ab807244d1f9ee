;; Calls a function with the wrong type.
(table $calls funcref (elem $describe))
(func $evaluate (param $arguments i32) (result i32)
  (call_indirect $calls (param i64) (result i32) (i64.const 0) (i32.const 0)))
