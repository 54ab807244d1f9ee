;; Logs one line of COUNT bytes.
(memory $memory 3)
(func $evaluate (param $arguments i32) (result i32)
  (call $log (i32.const 0) (i32.const 0x20000) (i32.const COUNT))
  (i32.const 0x60))
