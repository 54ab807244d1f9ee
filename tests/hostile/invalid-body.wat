;; A function that returns nothing and says that it returns a number.
(func $broken (result i32))
