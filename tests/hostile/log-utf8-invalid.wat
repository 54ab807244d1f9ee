;; Logs what is not text.
(data $line (i32.const 0x1b0) "\ff\ff")
