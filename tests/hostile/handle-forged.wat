;; Makes up a handle, and asks what is behind it.
(component
  (type $thing (resource (rep i32)))
  (core func $rep (canon resource.rep $thing))
  (core module $module
    (import "" "rep" (func $rep (param i32) (result i32)))
    (func $go
      (drop (call $rep (i32.const 77))))
    (start $go))
  (core instance (instantiate $module (with "" (instance (export "rep" (func $rep)))))))
