;; An array on the heap of a collector.
(type $array (array (mut i8)))
