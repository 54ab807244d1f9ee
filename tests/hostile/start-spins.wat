;; Hangs before any of its functions can be called.
(func $hang (loop $forever (br $forever)))
(start $hang)
