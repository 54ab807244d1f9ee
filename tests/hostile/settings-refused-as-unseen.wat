;; Refuses its settings with a path that steers a terminal, and a message of line breaks and one letter.
(data $answer (i32.const 0x40) (i32 1 0x50 1))
(data $path (i32.const 0x150) "/\1b[2J\07")
(data $complaint (i32.const 0x160) "\0a\0a\0aallowed\0a\0a\0a\0a\0a\0a\0a\0a\0a\0a\0a")
