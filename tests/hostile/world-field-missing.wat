;; The subject lacks a field in its middle.
(@world "        git-sha: option<string>,
"
  "")
