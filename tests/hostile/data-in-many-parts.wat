;; Five hundred instances of a module that writes three hundred kilobytes into a memory that it shares.
(component
  (core module $store (memory (export "memory") 10))
  (core instance $store (instantiate $store))
  (core module $module
    (import "" "memory" (memory 1))
    (data (i32.const 0) "(@repeat 1500 # aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"))
  (@repeat 500 # (core instance (instantiate $module (with "" (instance $store))))))
