;; Sixty-six thousand globals in one module.
(component (core module $module (@repeat 66000 # (global i32 (i32.const 0)))) (core instance (instantiate $module)))
