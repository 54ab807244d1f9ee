;; The name of the interface, on a component that could have it.
(@whole (component (component $inside) (export "smcp:policy/evaluator@0.1.0" (component $inside))))
