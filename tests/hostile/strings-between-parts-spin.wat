;; Two parts with other encodings that hand each other a mebibyte of text, forever: the host translates it.
(component
  (component $listener
    (core module $module
      (memory (export "memory") 64)
      (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
      (func (export "hear") (param i32 i32)))
    (core instance $instance (instantiate $module))
    (func (export "hear") (param "word" string)
      (canon lift (core func $instance "hear")
        string-encoding=utf16
        (memory (core memory $instance "memory")) (realloc (core func $instance "realloc")))))
  (component $speaker
    (import "hear" (func $hear (param "word" string)))
    (core module $store (memory (export "memory") 17))
    (core instance $store (instantiate $store))
    (core func $say (canon lower (func $hear) (memory (core memory $store "memory"))))
    (core module $module
      (import "" "say" (func $say (param i32 i32)))
      (func $go (loop $forever (call $say (i32.const 0) (i32.const 0x100000)) (br $forever)))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
