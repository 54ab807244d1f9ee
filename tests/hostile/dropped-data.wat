;; Reads from a segment that it has given up.
(data $segment "gone")
(func $evaluate (param $arguments i32) (result i32)
  (data.drop $segment)
  (memory.init $segment (i32.const 0x8000) (i32.const 0) (i32.const 4))
  (i32.const 0x60))
