;; It wants a resource of the host.
(@whole (component
  (import "socket" (type (sub resource)))
  (instance $empty)
  (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
