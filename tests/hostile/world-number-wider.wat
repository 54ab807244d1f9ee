;; A score that could be larger than ours.
(@world "        score: option<u8>,"
  "        score: option<u16>,")
