;; Takes memory before anything of it is called.
(func $take (loop $more (drop (memory.grow (i32.const 16))) (br $more)))
(start $take)
