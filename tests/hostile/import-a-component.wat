;; It wants to be handed a component, of which nobody has seen the bytes.
(@whole (component
  (import "plug-in" (component))
  (instance $empty)
  (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
