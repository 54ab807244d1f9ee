;; A summary that is not UTF-8.
(data $summary (i32.const 0x120) "\c0\af overlong")
