;; Copies elements to where the end of the table would wrap around.
(table $small 4 funcref)
(func $evaluate (param $arguments i32) (result i32)
  (table.copy $small $small (i32.const 0xffffffff) (i32.const 0) (i32.const 2))
  (i32.const 0x60))
