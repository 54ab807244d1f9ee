;; A table with indices of 64 bits.
(component (core module (table i64 1 funcref)))
