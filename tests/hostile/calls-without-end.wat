;; Calls itself twice, forty deep: no loop, and a trillion calls.
(func $twice (param $left i32) (result i32)
  (if (result i32) (local.get $left)
    (then (i32.add
      (call $twice (i32.sub (local.get $left) (i32.const 1)))
      (call $twice (i32.sub (local.get $left) (i32.const 1)))))
    (else (i32.const 1))))
(func $evaluate (param $arguments i32) (result i32) (call $twice (i32.const 40)))
