;; The part that asks gives a place for the answer that it doesn't have.
(component
  (component $listener
    (core module $module
      (memory (export "memory") 1)
      (func (export "hear") (result i32) (i32.const 0)))
    (core instance $instance (instantiate $module))
    (func (export "hear") (result (tuple u32 u32))
      (canon lift (core func $instance "hear") (memory (core memory $instance "memory")))))
  (component $speaker
    (import "hear" (func $hear (result (tuple u32 u32))))
    (core module $store (memory (export "memory") 1))
    (core instance $store (instantiate $store))
    (core func $say (canon lower (func $hear) (memory (core memory $store "memory"))))
    (core module $module
      (import "" "say" (func $say (param i32)))
      (func $go (call $say (i32.const 0xfffc)))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
