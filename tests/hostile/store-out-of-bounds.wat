;; Writes beyond its memory, through the largest offset there is.
(func $evaluate (param $arguments i32) (result i32)
  (i32.store offset=0xffffffff (i32.const 0xffffffff) (i32.const 1))
  (i32.const 0x60))
