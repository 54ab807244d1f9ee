;; A part with a name that is none.
(component (component (import "not a name" (func))))
