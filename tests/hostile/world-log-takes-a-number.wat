;; The log wants its level as a number.
(@world "log: func(level: level,"
  "log: func(level: u32,")
