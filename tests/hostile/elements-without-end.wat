;; A segment of a hundred and ten thousand functions, for tables that can have twenty thousand.
(elem $segment func (@repeat 110000 # 0 ))
