;; Fills all the memory it may have, again and again: an instruction that takes milliseconds can't be interrupted.
(memory $memory 256)
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever
    (memory.fill (i32.const 0) (i32.const 0xff) (i32.const 0x1000000))
    (br $forever))
  (unreachable))
