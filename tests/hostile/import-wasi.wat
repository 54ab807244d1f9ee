;; Imports the time.
(@world "    import logging;
    export evaluator;"
  "import logging; import wasi:clocks/wall-clock@0.2.0; export evaluator; }
  package wasi:clocks@0.2.0 {
    interface wall-clock { record datetime { seconds: u64, nanoseconds: u32 } now: func() -> datetime; }")
(import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))
