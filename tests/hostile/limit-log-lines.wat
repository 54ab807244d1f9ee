;; Logs COUNT lines.
(func $evaluate (param $arguments i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const COUNT))
  (loop $more
    (call $log (i32.const 1) (i32.const 0x1b0) (i32.const 12))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left)))
  (i32.const 0x60))
