;; Takes memory forever in a component inside of it, when that is started.
(component
  (core module $greedy
    (memory 0)
    (func $grow (loop $more (drop (memory.grow (i32.const 1))) (br $more)))
    (start $grow))
  (core instance (instantiate $greedy)))
