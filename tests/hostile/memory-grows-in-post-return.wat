;; Takes memory forever when its answer is already given.
(func $after-evaluate (param $answer i32)
  (loop $more (drop (memory.grow (i32.const 1))) (br $more)))
