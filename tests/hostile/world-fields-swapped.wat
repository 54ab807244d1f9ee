;; Two fields of one type have changed places: every byte fits, and each means the other.
(@world "        critical: u32,
        high: u32,"
  "        high: u32,
        critical: u32,")
