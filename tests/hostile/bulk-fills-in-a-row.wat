;; A thousand fills of 16 MiB one after the other: no loop and no call in which a deadline could be seen.
(memory $memory 257)
(func $evaluate (param $arguments i32) (result i32)
  (@repeat 1000 # (memory.fill (i32.const 0x10000) (i32.const #) (i32.const 0x1000000)))
  (i32.const 0x60))
