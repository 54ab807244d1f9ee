;; The subject has a field more, with room for what we never said.
(@world "        git-sha: option<string>,
"
  "        git-sha: option<string>, colour: string,
")
