;; Hangs after it has returned its description.
(func $after-describe (param $answer i32) (loop $forever (br $forever)))
