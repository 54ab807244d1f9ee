;; It wants whatever version of a package is there.
(@whole (component
  (import "unlocked-dep=<acme:plug-in@{>=1.0.0}>" (component))
  (instance $empty)
  (export "smcp:policy/evaluator@0.1.0" (instance $empty))))
