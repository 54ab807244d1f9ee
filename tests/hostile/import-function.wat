;; Imports the network.
(@world "    import logging;
    export evaluator;"
  "import logging; import fetch: func(url: string) -> string; export evaluator;")
(import "$root" "fetch" (func $fetch (param i32 i32 i32)))
