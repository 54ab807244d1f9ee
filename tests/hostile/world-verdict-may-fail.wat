;; The verdict may be an error instead, which would be neither yes nor no.
(@world "settings: string) -> verdict;"
  "settings: string) -> result<verdict>;")
