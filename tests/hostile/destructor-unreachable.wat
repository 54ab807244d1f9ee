;; Crashes when a resource is given back.
(component
  (core module $destructor
    (func (export "destroy") (param i32) (unreachable)))
  (core instance $destructor (instantiate $destructor))
  (type $thing (resource (rep i32) (dtor (core func $destructor "destroy"))))
  (core func $new (canon resource.new $thing))
  (core func $drop (canon resource.drop $thing))
  (core module $module
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $go (call $drop (call $new (i32.const 1))))
    (start $go))
  (core instance (instantiate $module (with "" (instance (export "new" (func $new)) (export "drop" (func $drop)))))))
