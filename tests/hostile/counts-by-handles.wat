;; Crashes if a resource that an earlier call has made is still there: a new one would get another number.
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core module $module
    (import "" "new" (func $new (param i32) (result i32)))
    (func $go (if (i32.ne (call $new (i32.const 1)) (i32.const 1)) (then (unreachable))))
    (start $go))
  (core instance (instantiate $module (with "" (instance (export "new" (func $new)))))))
