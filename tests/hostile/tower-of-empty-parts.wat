;; The same, of components that have nothing in them.
(component
  (component $level0)
  (@repeat 6 #l (component (alias outer 1 #l (component $below)) (@repeat 10 #i (instance (instantiate $below)))))
  (instance (instantiate 6)))
