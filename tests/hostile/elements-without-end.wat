;; A segment of two hundred thousand functions, for tables that can have twenty thousand.
(elem $segment func (@repeat 200000 # 0 ))
