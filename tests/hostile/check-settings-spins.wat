;; Never finishes reading its settings.
(func $check-settings (param $settings i32) (param $length i32) (result i32) (loop $forever (br $forever)) (unreachable))
