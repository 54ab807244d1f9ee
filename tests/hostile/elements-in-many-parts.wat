;; Sixty instances of a module that fills a shared table five times over: seconds of work in which no deadline is seen.
(component
  (core module $store (table (export "table") 20000 funcref))
  (core instance $store (instantiate $store))
  (core module $module (import "" "table" (table 1 funcref)) (func $f)
      (@repeat 5 # (elem (i32.const 0) func (@repeat 19000 # $f))))
  (@repeat 60 # (core instance (instantiate $module (with "" (instance $store))))))
