;; Crashes before any of its functions can be called.
(func $crash (unreachable))
(start $crash)
