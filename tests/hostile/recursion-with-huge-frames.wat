;; Recurses with three thousand values that are needed after it: frames larger than any page that guards a stack.
(func $seed (param i64) (result i64) (i64.mul (local.get 0) (i64.const 3)))
(func $deeper (param $from i64) (result i64)
  (@repeat 3000 # (call $seed (i64.add (local.get $from) (i64.const #))))
  (call $deeper (local.get $from))
  (@repeat 3000 # (i64.xor)))
(func $evaluate (param $arguments i32) (result i32)
  (i32.wrap_i64 (call $deeper (i64.const 1))))
