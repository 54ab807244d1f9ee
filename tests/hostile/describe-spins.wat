;; Never returns its description.
(func $describe (result i32) (loop $forever (br $forever)) (unreachable))
