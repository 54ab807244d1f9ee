;; A branch with more ways to go than any function has.
(func $large (block (br_table (@repeat 65600 # 0) (i32.const 0))))
