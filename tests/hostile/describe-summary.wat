;; An empty summary.
(data $summary (i32.const 0x120) "                         ")
