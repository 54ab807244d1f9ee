;; The two values of what a violation leads to have changed places.
(@world "    enum on-warn {
        /// Say it and go on.
        notify,
        /// Say it and go on only with consent.
        confirm,
    }"
  "    enum on-warn { confirm, notify }")
