;; Lists of lists, two hundred deep.
(component
  (type (list u8))
  (@repeat 200 #i (type (list #i))))
