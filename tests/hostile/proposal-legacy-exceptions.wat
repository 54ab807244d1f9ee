;; Catches as compilers did before the proposal was finished.
(func $caught try catch_all end)
