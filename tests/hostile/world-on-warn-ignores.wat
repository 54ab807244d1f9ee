;; What a violation leads to has a third value, which would be to ignore it.
(@world "        confirm,
"
  "        confirm, ignore,
")
