;; It can not be asked about anything.
(@world "    evaluate: func(request: request, settings: string) -> verdict;
"
  "")
