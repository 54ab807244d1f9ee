;; The name of the interface, on a function.
(@whole (component
  (core module $module (func (export "f")))
  (core instance $instance (instantiate $module))
  (func $f (canon lift (core func $instance "f")))
  (export "smcp:policy/evaluator@0.1.0" (func $f))))
