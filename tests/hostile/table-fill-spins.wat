;; Fills the largest table, forever.
(table $large 20000 funcref)
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever (table.fill $large (i32.const 0) (ref.null func) (i32.const 20000)) (br $forever))
  (unreachable))
