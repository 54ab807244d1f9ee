;; As many violations as there may be, and one notice more.
(memory $memory 4)
(func $evaluate (param $arguments i32) (result i32)
  (local $made i32)
  (loop $more
    (memory.copy
      (i32.add (i32.const 0x20000) (i32.mul (local.get $made) (i32.const 48))) (i32.const 0x80) (i32.const 48))
    (local.set $made (i32.add (local.get $made) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $made) (i32.const 256))))
  (i32.const 0x60))
(data $verdict (i32.const 0x60) (i32 0x20000 256 0x80 1))
