;; A case of a variant is missing, so that the numbers of the others are less by one.
(@world "        official,
"
  "")
