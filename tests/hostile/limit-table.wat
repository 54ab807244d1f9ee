;; Begins with a table of COUNT elements.
(table $calls COUNT funcref)
