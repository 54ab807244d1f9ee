;; Twenty findings that are all the same four kilobytes of memory: little for the guest, much for the reader.
(memory $memory 3)
(func $evaluate (param $arguments i32) (result i32)
  (local $made i32)
  (memory.fill (i32.const 0x28000) (i32.const 0x61) (i32.const 4096))
  (loop $more
    (memory.copy
      (i32.add (i32.const 0x20000) (i32.mul (local.get $made) (i32.const 48))) (i32.const 0x80) (i32.const 48))
    (local.set $made (i32.add (local.get $made) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $made) (i32.const 20))))
  (i32.const 0x60))
(data $finding (i32.const 0x80) (i32 0x180 7 0x28000 4096 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0x20000 20 0 0))
