;; Imports a function that our logging doesn't have.
(@world "    log: func(level: level, message: string);" "log: func(level: level, message: string); flush: func();")
(import "smcp:policy/logging@0.1.0" "flush" (func $flush))
