;; The name of the interface, with nothing behind it.
(@whole (component (instance $empty) (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
