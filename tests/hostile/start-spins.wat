;; Hangs before anything of it can be called.
(func $hang (loop $forever (br $forever)))
(start $hang)
