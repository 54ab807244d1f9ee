;; Instantiates a part and hands it something else than it wants.
(component
  (component $wants (import "f" (func)))
  (type $number u32)
  (instance (instantiate $wants (with "f" (type $number)))))
