;; It imports what policies export: somebody else would have to be the policy.
(@world "    import logging;
    export evaluator;"
  "import logging; import smcp:policy/evaluator@0.0.9; export evaluator; }
  package smcp:policy@0.0.9 { interface evaluator { allow: func() -> bool; }")
(import "smcp:policy/evaluator@0.0.9" "allow" (func $allow (result i32)))
