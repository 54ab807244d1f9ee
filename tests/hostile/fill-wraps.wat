;; Fills memory up to an address that wraps around to the beginning.
(func $evaluate (param $arguments i32) (result i32)
  (memory.fill (i32.const 0x10000) (i32.const 0) (i32.const 0xffff0001))
  (i32.const 0x60))
