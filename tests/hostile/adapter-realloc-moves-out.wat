;; The part that is handed a text gives a good place first, and a bad one when less is needed.
(component
  (component $listener
    (core module $module
      (memory (export "memory") 1)
      (func (export "realloc") (param $old-pointer i32) (param $old-size i32) (param i32 i32) (result i32)
        (if (result i32) (local.get $old-size) (then (i32.const 0xfffffff0)) (else (i32.const 0))))
      (func (export "hear") (param i32 i32)))
    (core instance $instance (instantiate $module))
    (func (export "hear") (param "word" string)
      (canon lift (core func $instance "hear")
        string-encoding=utf16
        (memory (core memory $instance "memory")) (realloc (core func $instance "realloc")))))
  (component $speaker
    (import "hear" (func $hear (param "word" string)))
    (core module $store (memory (export "memory") 1) (data (i32.const 0) "\c3\a9\c3\a9\c3\a9\c3\a9"))
    (core instance $store (instantiate $store))
    (core func $say (canon lower (func $hear) (memory (core memory $store "memory"))))
    (core module $module
      (import "" "say" (func $say (param i32 i32)))
      (func $go (call $say (i32.const 0) (i32.const 8)))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
