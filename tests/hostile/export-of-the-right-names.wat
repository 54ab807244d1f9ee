;; The three functions have the right names, and no parameters.
(@whole (component
  (core module $module (func (export "f")))
  (core instance $instance (instantiate $module))
  (func $f (canon lift (core func $instance "f")))
  (instance $evaluator
    (export "describe" (func $f)) (export "check-settings" (func $f)) (export "evaluate" (func $f)))
  (export "smcp:policy/evaluator@0.1.0" (instance $evaluator))))
