;; Reads sixteen bytes of which the last one is outside.
(func $evaluate (param $arguments i32) (result i32)
  (i32x4.extract_lane 0 (v128.load (i32.const 0x1fff1))))
