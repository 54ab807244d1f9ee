;; The name of the log, on a function.
(@whole (component
  (import "smcp:policy/logging@0.1.0" (func))
  (instance $empty)
  (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
