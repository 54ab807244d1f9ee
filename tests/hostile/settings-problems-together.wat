;; Sixty problems of two thousand bytes each, which are too much together.
(data $answer (i32.const 0x40) (i32 1 0x4000 60))
(func $check-settings (param $settings i32) (param $length i32) (result i32)
  (local $made i32)
  (memory.fill (i32.const 0x1000) (i32.const 0x61) (i32.const 2000))
  (loop $more
    (i32.store offset=0x4000 (i32.mul (local.get $made) (i32.const 16)) (i32.const 0x150))
    (i32.store offset=0x4004 (i32.mul (local.get $made) (i32.const 16)) (i32.const 6))
    (i32.store offset=0x4008 (i32.mul (local.get $made) (i32.const 16)) (i32.const 0x1000))
    (i32.store offset=0x400c (i32.mul (local.get $made) (i32.const 16)) (i32.const 2000))
    (local.set $made (i32.add (local.get $made) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $made) (i32.const 60))))
  (i32.const 0x40))
