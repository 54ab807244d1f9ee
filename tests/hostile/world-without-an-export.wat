;; It exports nothing.
(@world "    import logging;
    export evaluator;"
  "    import logging;")
