;; A version that is one in its first line.
(data $version (i32.const 0x110) "1.0\0a1")
