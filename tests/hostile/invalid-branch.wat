;; Branches out of more blocks than there are.
(func $broken (br 7))
