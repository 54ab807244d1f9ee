;; Answers a question about small settings with five thousand bytes.
(data $answer (i32.const 0x40) (i32 1 0x50 1))
(data $problem (i32.const 0x50) (i32 0x150 6 0x1000 5000))
(func $check-settings (param $settings i32) (param $length i32) (result i32)
  (memory.fill (i32.const 0x1000) (i32.const 0x61) (i32.const 5000))
  (i32.const 0x40))
