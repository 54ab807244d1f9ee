;; Five million complaints about the settings, all of them in bounds.
(memory $memory 1300)
(data $answer (i32.const 0x40) (i32 1 0x10000 5000000))
