;; A summary of fillers of Hangul and zero-width spaces.
(data $summary (i32.const 0x120) "\e1\85\9f\e1\85\a0\e3\85\a4\ef\be\a0\e2\80\8b\e2\80\8b      ")
