;; A level that could be less than nothing.
(@world "        cert-level: option<u8>,"
  "        cert-level: option<s8>,")
