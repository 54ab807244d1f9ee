;; Recurses without end when its answer is already given.
(func $after-evaluate (param $answer i32) (call $after-evaluate (local.get $answer)) (call $after-evaluate (i32.const 1)))
