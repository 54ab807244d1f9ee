;; Refuses its settings by quoting them, whatever they are.
(func $check-settings (param $settings i32) (param $length i32) (result i32)
  (i32.store (i32.const 0x58) (local.get $settings))
  (i32.store (i32.const 0x5c) (local.get $length))
  (i32.const 0x40))
(data $answer (i32.const 0x40) (i32 1 0x50 1))
