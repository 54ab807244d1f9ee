;; Takes memory forever while it is only asked what it is.
(func $describe (result i32)
  (loop $more (drop (memory.grow (i32.const 1))) (br $more))
  (unreachable))
