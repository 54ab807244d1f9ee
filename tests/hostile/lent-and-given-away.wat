;; Gives a resource away in the same call in which it lends it.
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
  (component $taker
    (import "thing" (type $thing (sub resource)))
    (core module $module (func (export "take") (param i32 i32)))
    (core instance $instance (instantiate $module))
    (func (export "take") (param "lent" (borrow $thing)) (param "given" (own $thing))
      (canon lift (core func $instance "take"))))
  (component $giver
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (result (own $thing))))
    (import "take" (func $take (param "lent" (borrow $thing)) (param "given" (own $thing))))
    (core func $make (canon lower (func $make)))
    (core func $take (canon lower (func $take)))
    (core module $module
      (import "" "make" (func $make (result i32)))
      (import "" "take" (func $take (param i32 i32)))
      (func $go (local $thing i32)
        (local.set $thing (call $make))
        (call $take (local.get $thing) (local.get $thing)))
      (start $go))
    (core instance (instantiate $module (with "" (instance
      (export "make" (func $make)) (export "take" (func $take)))))))
  (instance $owner (instantiate $owner))
  (instance $taker (instantiate $taker (with "thing" (type $owner "thing"))))
  (instance (instantiate $giver
    (with "thing" (type $owner "thing")) (with "make" (func $owner "make")) (with "take" (func $taker "take")))))
