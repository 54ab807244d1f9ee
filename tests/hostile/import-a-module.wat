;; It wants to be handed a module.
(@whole (component
  (import "plug-in" (core module))
  (instance $empty)
  (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
