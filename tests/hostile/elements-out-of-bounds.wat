;; A table that is filled at the start, beyond its end.
(table $small 1 funcref)
(elem (table $small) (i32.const 1) func $describe)
