;; It wants a component from an address.
(@whole (component
  (import "url=<https://example.com/policy.wasm>" (component))
  (instance $empty)
  (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
