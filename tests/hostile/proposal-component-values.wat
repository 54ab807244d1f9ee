;; Hands a value to a component when it is started.
(component
  (component $inner (import "number" (value u32)))
)
