;; The interface of no version.
(@whole (component (instance $empty) (export "smcp:policy/evaluator" (instance $empty))))
