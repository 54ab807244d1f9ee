;; Gives a resource back twice.
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $module
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $go
      (local $handle i32)
      (local.set $handle (call $new (i32.const 1)))
      (call $drop (local.get $handle))
      (call $drop (local.get $handle)))
    (start $go))
  (core instance (instantiate $module (with "" (instance (export "new" (func $new)) (export "drop" (func $drop)))))))
