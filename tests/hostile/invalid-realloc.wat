;; Offers as the allocator what takes no parameters.
(component
  (core module $module (memory (export "memory") 1) (func (export "f") (param i32 i32)) (func (export "realloc")))
  (core instance $instance (instantiate $module))
  (func (param "word" string) (canon lift (core func $instance "f") (memory (core memory $instance "memory")) (realloc (core func $instance "realloc")))))
