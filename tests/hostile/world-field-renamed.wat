;; A field has another name.
(@world "        code: string,
"
  "        kode: string,
")
