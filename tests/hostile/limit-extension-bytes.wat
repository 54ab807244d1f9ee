;; Texts of COUNT bytes in one verdict, as in limit-verdict, and sixteen extensions that have none.
(memory $memory 3)
(func $evaluate (param $arguments i32) (result i32)
  (local $made i32)
  (memory.fill (i32.const 0x21000) (i32.const 0x61) (i32.const 0x2000))
  (i32.store (i32.const 0x88) (i32.const 0x21000))
  (i32.store (i32.const 0x8c) (i32.const 4089))
  (loop $more
    (memory.copy
      (i32.add (i32.const 0x20000) (i32.mul (local.get $made) (i32.const 48))) (i32.const 0x80) (i32.const 48))
    (local.set $made (i32.add (local.get $made) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $made) (i32.const 16))))
  (i32.store (i32.const 0x202dc) (i32.sub (i32.const COUNT) (i32.const 61447)))
  ;; The last one has sixteen empty extensions.
  (i32.store (i32.const 0x202f8) (i32.const 0x24000))
  (i32.store (i32.const 0x202fc) (i32.const 16))
  (i32.const 0x60))
(data $verdict (i32.const 0x60) (i32 0 0 0x20000 16))
