;; Imports the network.
(import "$root" "fetch" (func $fetch (param i32 i32 i32)))
