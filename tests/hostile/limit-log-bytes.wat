;; Logs COUNT bytes, in lines of at most 4,096.
(memory $memory 3)
(func $evaluate (param $arguments i32) (result i32)
  (local $left i32) (local $line i32)
  (local.set $left (i32.const COUNT))
  (loop $more
    (local.set $line
      (select (local.get $left) (i32.const 4096) (i32.lt_u (local.get $left) (i32.const 4096))))
    (call $log (i32.const 3) (i32.const 0x20000) (local.get $line))
    (local.set $left (i32.sub (local.get $left) (local.get $line)))
    (br_if $more (local.get $left)))
  (i32.const 0x60))
