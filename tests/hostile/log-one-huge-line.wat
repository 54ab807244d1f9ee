;; Logs one line of four mebibytes.
(memory $memory 128)
(func $evaluate (param $arguments i32) (result i32)
  (call $log (i32.const 1) (i32.const 0x10000) (i32.const 0x400000))
  (i32.const 0x60))
