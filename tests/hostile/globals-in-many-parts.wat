;; Sixty instances of a module with two thousand globals: memory that is no linear memory.
(component
  (core module $module (@repeat 2000 # (global (mut i64) (i64.const 0))))
  (@repeat 60 # (core instance (instantiate $module))))
