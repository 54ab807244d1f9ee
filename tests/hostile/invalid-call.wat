;; Calls a function that there is not.
(func $broken (call 9999))
