;; The verdict has texts where we have findings.
(@world "        violations: list<finding>,
"
  "        violations: list<string>,
")
