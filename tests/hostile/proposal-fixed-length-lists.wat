;; A type for a list of exactly four.
(component (type (list u8 4)))
