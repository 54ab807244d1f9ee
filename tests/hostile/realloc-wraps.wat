;; Gives the host a place whose end is no address.
(func $realloc (param i32 i32 i32 i32) (result i32) (i32.const 0xfffffff8))
