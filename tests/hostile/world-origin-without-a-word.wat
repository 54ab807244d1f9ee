;; An origin of another kind has no word.
(@world "        other(string),"
  "        other,")
