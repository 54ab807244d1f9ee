;; It can not be asked about its settings.
(@world "    check-settings: func(settings: string) -> result<_, list<settings-problem>>;
"
  "")
