;; Crashes when it is asked for its description.
(func $describe (result i32) (unreachable))
