;; Reads at an address and an offset that are each a number, and together more than 32 bits have.
(func $evaluate (param $arguments i32) (result i32)
  (i32.load offset=0xffffffff (i32.const -1)))
