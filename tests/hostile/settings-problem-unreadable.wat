;; Refuses its settings with a path that is not UTF-8.
(data $answer (i32.const 0x40) (i32 1 0x50 1))
(data $path (i32.const 0x150) "/all\ff\fe")
