;; Makes COUNT handles of a resource and drops none.
(import "[export]handles" "[resource-new]thing" (func $new (param i32) (result i32)))
(func $make (result i32) (call $new (i32.const 1)))
(export "handles#[constructor]thing" (func $make))
(func $evaluate (param $arguments i32) (result i32)
  (local $left i32)
  (local.set $left (i32.const COUNT))
  (loop $more
    (drop (call $make))
    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
    (br_if $more (local.get $left)))
  (i32.const 0x60))
