;; Lets a table grow by nothing, forever.
(table $empty 0 funcref)
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever (drop (table.grow $empty (ref.null func) (i32.const 0))) (br $forever))
  (unreachable))
