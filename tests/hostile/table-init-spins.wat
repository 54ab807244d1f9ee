;; Fills a table from a segment, forever: each element is a reference that the host makes.
(table $large 2000 funcref)
(elem $segment func (@repeat 2000 # $describe))
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever (table.init $large $segment (i32.const 0) (i32.const 0) (i32.const 2000)) (br $forever))
  (unreachable))
