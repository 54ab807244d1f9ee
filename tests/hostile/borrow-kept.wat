;; Keeps a resource that it was only lent, beyond the end of the call.
(component
  (component $owner
    (type $thing' (resource (rep i32)))
    (export $thing "thing" (type $thing'))
    (core func $new (canon resource.new $thing'))
    (core module $module
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "make") (result i32) (call $new (i32.const 1))))
    (core instance $instance (instantiate $module (with "" (instance (export "new" (func $new))))))
    (func (export "make") (result (own $thing)) (canon lift (core func $instance "make"))))
  (component $keeper
    (import "thing" (type $thing (sub resource)))
    (core module $module (func (export "lend") (param i32)))
    (core instance $instance (instantiate $module))
    (func (export "lend") (param "thing" (borrow $thing)) (canon lift (core func $instance "lend"))))
  (component $lender
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (result (own $thing))))
    (import "lend" (func $lend (param "thing" (borrow $thing))))
    (core func $make (canon lower (func $make)))
    (core func $lend (canon lower (func $lend)))
    (core module $module
      (import "" "make" (func $make (result i32)))
      (import "" "lend" (func $lend (param i32)))
      (func $go (call $lend (call $make)))
      (start $go))
    (core instance (instantiate $module (with "" (instance
      (export "make" (func $make)) (export "lend" (func $lend)))))))
  (instance $owner (instantiate $owner))
  (instance $keeper (instantiate $keeper (with "thing" (type $owner "thing"))))
  (instance (instantiate $lender
    (with "thing" (type $owner "thing")) (with "make" (func $owner "make")) (with "lend" (func $keeper "lend")))))
