;; One part hands the other a case of a variant that there is not.
(component
  (component $listener
    (core module $module
      (func (export "hear") (param i32 i32)))
    (core instance $instance (instantiate $module))
    (func (export "hear") (param "maybe" (option u32))
      (canon lift (core func $instance "hear"))))
  (component $speaker
    (import "hear" (func $hear (param "maybe" (option u32))))
    (core module $store (memory (export "memory") 1))
    (core instance $store (instantiate $store))
    (core func $say (canon lower (func $hear) ))
    (core module $module
      (import "" "say" (func $say (param i32 i32)))
      (func $go (call $say (i32.const 2) (i32.const 0)))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
