;; A function with a hundred thousand locals, said in four bytes.
(func $large (local (@repeat 60000 # i64 )))
