;; Pairs of pairs, twenty deep: a type with a million numbers in a hundred bytes.
(component
  (type (tuple u8 u8))
  (@repeat 20 #i (type (tuple #i #i))))
