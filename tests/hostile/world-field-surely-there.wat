;; A field that may be unknown is a text that is always there.
(@world "        git-sha: option<string>,
"
  "        git-sha: string,
")
