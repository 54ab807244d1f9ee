;; Says that a byte is aligned to sixteen.
(func $broken (drop (i32.load8_u align=16 (i32.const 0))))
