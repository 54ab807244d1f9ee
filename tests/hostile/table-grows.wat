;; Grows a table forever.
(table $calls 0 funcref)
(func $evaluate (param $arguments i32) (result i32)
  (loop $more (drop (table.grow $calls (ref.null func) (i32.const 1000))) (br $more))
  (unreachable))
