;; A text of more bytes than a text may have between two parts.
(component
  (component $listener
    (core module $module
      (memory (export "memory") 1)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
      (func (export "hear") (param i32 i32)))
    (core instance $instance (instantiate $module))
    (func (export "hear") (param "word" string)
      (canon lift (core func $instance "hear")
        (memory (core memory $instance "memory")) (realloc (core func $instance "realloc")))))
  (component $speaker
    (import "hear" (func $hear (param "word" string)))
    (core module $store (memory (export "memory") 1))
    (core instance $store (instantiate $store))
    (core func $say (canon lower (func $hear) (memory (core memory $store "memory"))))
    (core module $module
      (import "" "say" (func $say (param i32 i32)))
      (func $go (call $say (i32.const 0) (i32.const 0x80000001)))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
