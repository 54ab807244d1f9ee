;; Gives the host the place of its own verdict for everything that is handed over.
(func $realloc (param i32 i32 i32 i32) (result i32) (i32.const 0x60))
