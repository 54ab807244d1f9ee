;; Crashes when it is asked who it is.
(func $describe (result i32) (unreachable))
