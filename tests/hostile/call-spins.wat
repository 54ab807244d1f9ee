;; Loops by calls and not by a loop's own branch.
(func $step (result i32) (i32.const 1))
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever (br_if $forever (call $step)))
  (unreachable))
