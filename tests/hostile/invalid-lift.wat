;; Says that a function of two numbers is one of a text and a list.
(component
  (core module $module (func (export "f") (param i32 i32)))
  (core instance $instance (instantiate $module))
  (func (param "word" string) (canon lift (core func $instance "f"))))
