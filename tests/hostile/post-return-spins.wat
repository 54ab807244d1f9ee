;; Hangs after it has answered.
(func $after-evaluate (param $answer i32) (loop $forever (br $forever)))
