;; A text that is handed from one side to the other a thousand times: the code for it grows with the square.
(component
  (core module $module
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "f") (param i32 i32)))
  (core instance $instance (instantiate $module))
  (alias core export $instance "memory" (core memory $memory))
  (alias core export $instance "realloc" (core func $realloc))
  (alias core export $instance "f" (core func $f))
  (func (param "word" string)
    (canon lift (core func $f) (memory (core memory $memory)) (realloc (core func $realloc))))
  (@repeat 1001 #i
    (core func $lowered#i (canon lower (func #i) (memory (core memory $memory)) (realloc (core func $realloc))))
    (func (param "word" string)
      (canon lift (core func $lowered#i) (memory (core memory $memory)) (realloc (core func $realloc))))))
