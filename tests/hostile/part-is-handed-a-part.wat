;; A component inside that is handed another one and makes ten of it: how many that are is not in its own text.
(component
  (component $small (core module $empty) (core instance (instantiate $empty)))
  (component $maker (import "what" (component $what)) (@repeat 10 # (instance (instantiate $what))))
  (instance (instantiate $maker (with "what" (component $small)))))
