;; A component with nothing in it.
(@whole (component))
