;; Begins with COUNT pages of memory.
(memory $memory COUNT)
