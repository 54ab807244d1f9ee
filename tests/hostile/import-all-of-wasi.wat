;; Arguments, files, the network, chance and the web, each of which is refused.
(@world "    import logging;
    export evaluator;"
  "import logging; import wasi:cli/environment@0.2.0; import wasi:filesystem/preopens@0.2.0; import wasi:sockets/network@0.2.0; import wasi:random/random@0.2.0; import wasi:http/outgoing-handler@0.2.0; export evaluator; }
  package wasi:cli@0.2.0 { interface environment { get-arguments: func() -> list<string>; } }
  package wasi:filesystem@0.2.0 { interface preopens { get: func() -> u32; } }
  package wasi:sockets@0.2.0 { interface network { get: func() -> u32; } }
  package wasi:random@0.2.0 { interface random { get-random-u64: func() -> u64; } }
  package wasi:http@0.2.0 { interface outgoing-handler { handle: func() -> u32; }")
(import "wasi:cli/environment@0.2.0" "get-arguments" (func $arguments (param i32)))
(import "wasi:filesystem/preopens@0.2.0" "get" (func $files (result i32)))
(import "wasi:sockets/network@0.2.0" "get" (func $network (result i32)))
(import "wasi:random/random@0.2.0" "get-random-u64" (func $chance (result i64)))
(import "wasi:http/outgoing-handler@0.2.0" "handle" (func $web (result i32)))
