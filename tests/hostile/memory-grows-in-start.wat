;; Grows its memory before any of its functions is called.
(func $take (loop $more (drop (memory.grow (i32.const 16))) (br $more)))
(start $take)
