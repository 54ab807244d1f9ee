;; A name that is a path.
(data $name (i32.const 0x100) "../etc")
