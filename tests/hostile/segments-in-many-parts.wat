;; Sixty instances of a module that writes a thousand times over into a memory that it shares.
(component
  (core module $store (memory (export "memory") 1))
  (core instance $store (instantiate $store))
  (core module $module
    (import "" "memory" (memory 1))
    (@repeat 1000 # (data (i32.const 0) "a")))
  (@repeat 60 # (core instance (instantiate $module (with "" (instance $store))))))
