;; Takes an element from behind the end of its table.
(table $small 4 funcref)
(func $evaluate (param $arguments i32) (result i32)
  (drop (table.get $small (i32.const 4)))
  (i32.const 0x60))
