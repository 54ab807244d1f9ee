;; Two functions that call each other through a table: no function names itself.
(type $step (func (result i32)))
(table $both 2 funcref)
(elem (table $both) (i32.const 0) func $left $right)
(func $left (result i32) (i32.add (i32.const 1) (call_indirect $both (type $step) (i32.const 1))))
(func $right (result i32) (i32.add (i32.const 1) (call_indirect $both (type $step) (i32.const 0))))
(func $evaluate (param $arguments i32) (result i32) (call $left))
