;; Crashes before anything of it can be called.
(func $crash (unreachable))
(start $crash)
