;; Calls an element of a table that was never set.
(table $calls 1 funcref)
(func $evaluate (param $arguments i32) (result i32) (call_indirect $calls (result i32) (i32.const 0)))
