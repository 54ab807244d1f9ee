;; Makes a resource of one type, and gives it back as one of another.
(component
  (type $thing (resource (rep i32)))
  (type $other (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $other))
  (core module $module
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $go (call $drop (call $new (i32.const 1))))
    (start $go))
  (core instance (instantiate $module (with "" (instance (export "new" (func $new)) (export "drop" (func $drop)))))))
