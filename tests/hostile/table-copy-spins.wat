;; Moves the elements of the largest table by one, forever.
(table $large 20000 funcref)
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever (table.copy $large $large (i32.const 0) (i32.const 1) (i32.const 19999)) (br $forever))
  (unreachable))
