;; A tower whose floors are taken from an instance that exports them, and not from the text around.
(component
  (component $shelf
    (component $level0 (core module $empty) (core instance (instantiate $empty)))
    (component $level1 (alias outer 1 0 (component $below)) (@repeat 100 #i (instance (instantiate $below))))
    (export "floor" (component $level1)))
  (instance $shelf (instantiate $shelf))
  (alias export $shelf "floor" (component $floor))
  (@repeat 100 #i (instance (instantiate $floor))))
