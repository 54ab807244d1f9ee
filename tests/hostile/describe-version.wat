;; A version that is not one.
(data $version (i32.const 0x110) "1.0.x")
