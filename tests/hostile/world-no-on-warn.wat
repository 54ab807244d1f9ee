;; It does not say what a violation leads to.
(@world "        on-warn: on-warn,
"
  "")
