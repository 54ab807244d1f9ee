;; A part that imports the same name twice, in two spellings.
(component (component (import "a-b" (func)) (import "a-B" (func))))
