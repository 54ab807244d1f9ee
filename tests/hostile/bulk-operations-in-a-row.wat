;; Twelve thousand fills in one function: each is a call of the host and a look at the clock.
(func $large (@repeat 12000 # i32.const 0 i32.const 0 i32.const 0 memory.fill ))
