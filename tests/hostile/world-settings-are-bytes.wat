;; It takes its settings as bytes, which could be anything.
(@world "settings: string) -> verdict;"
  "settings: list<u8>) -> verdict;")
