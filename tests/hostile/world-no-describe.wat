;; It can not be asked what it is.
(@world "    describe: func() -> description;
"
  "")
