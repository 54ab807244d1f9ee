;; Imports the time.
(import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))
