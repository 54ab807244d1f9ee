;; Hangs after it has said what it is.
(func $after-describe (param $answer i32) (loop $forever (br $forever)))
