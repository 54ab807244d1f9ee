;; Nine tables, each in a part of its own.
(component
  (core module $table (table 1 funcref))
  (@repeat 9 # (core instance (instantiate $table))))
