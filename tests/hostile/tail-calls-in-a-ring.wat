;; Three functions that call the next one through a table in place of returning.
(type $step (func (result i32)))
(table $ring 3 funcref)
(elem (table $ring) (i32.const 0) func $first $second $third)
(func $first (result i32) (return_call_indirect $ring (type $step) (i32.const 1)))
(func $second (result i32) (return_call_indirect $ring (type $step) (i32.const 2)))
(func $third (result i32) (return_call_indirect $ring (type $step) (i32.const 0)))
(func $evaluate (param $arguments i32) (result i32) (call $first))
