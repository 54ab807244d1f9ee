;; Is initialised beyond its own memory.
(data $beyond (i32.const 0x7fffff00) "text")
