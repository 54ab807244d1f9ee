;; Writes to what is constant.
(global $constant i32 (i32.const 1))
(func $writes (global.set $constant (i32.const 2)))
