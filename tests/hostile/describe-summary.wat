;; A summary that says nothing.
(data $summary (i32.const 0x120) "                         ")
