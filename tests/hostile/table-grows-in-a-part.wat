;; Lets the table of a part inside of it grow, when that is started.
(component
  (core module $greedy
    (table $grows 0 externref)
    (func $grow (loop $more (drop (table.grow $grows (ref.null extern) (i32.const 1000))) (br $more)))
    (start $grow))
  (core instance (instantiate $greedy)))
