;; The same with copies, half of which overlap.
(memory $memory 256)
(func $evaluate (param $arguments i32) (result i32)
  (@repeat 1000 # (memory.copy (i32.const 0x10000) (i32.const 0x10001) (i32.const 0xf00000)))
  (unreachable))
