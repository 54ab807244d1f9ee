;; Writes the same segment into its memory, forever.
(data $segment "sixteen bytes of it, and then some more")
(func $evaluate (param $arguments i32) (result i32)
  (loop $forever (memory.init $segment (i32.const 0x8000) (i32.const 0) (i32.const 16)) (br $forever))
  (unreachable))
