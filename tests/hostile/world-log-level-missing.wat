;; The log knows one level less.
(@world "        /// For the author of the policy.
        debug,
"
  "")
