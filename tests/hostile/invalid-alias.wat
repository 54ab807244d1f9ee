;; Takes a part from around more components than there are.
(component (alias outer 9 0 (component)))
