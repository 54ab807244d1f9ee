;; Imports a function that our logging doesn't have.
(import "smcp:policy/logging@0.1.0" "flush" (func $flush))
