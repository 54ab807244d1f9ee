;; Five million findings with nothing in them, all of them in bounds.
(memory $memory 3700)
(data $verdict (i32.const 0x60) (i32 0x10000 5000000 0 0))
