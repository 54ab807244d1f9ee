;; Components that make ten of one another, seven levels deep: ten million instances in a few hundred bytes.
(component
  (component $level0 (core module $empty) (core instance (instantiate $empty)))
  (component $level1 (alias outer 1 0 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (component $level2 (alias outer 1 1 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (component $level3 (alias outer 1 2 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (component $level4 (alias outer 1 3 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (component $level5 (alias outer 1 4 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (component $level6 (alias outer 1 5 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (component $level7 (alias outer 1 6 (component $below)) (@repeat 10 #i (instance (instantiate $below))))
  (@repeat 10 #i (instance (instantiate $level7))))
