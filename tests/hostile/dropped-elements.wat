;; Fills a table from a segment that it has given up.
(table $small 4 funcref)
(elem $segment func $describe)
(func $evaluate (param $arguments i32) (result i32)
  (elem.drop $segment)
  (table.init $small $segment (i32.const 0) (i32.const 0) (i32.const 1))
  (i32.const 0x60))
