;; Four hundred loops in one another, in each of which 490 locals change: as many as a function may have, and minutes of
;; a compiler's time.
(func $large (local (@repeat 490 # i32))
  (@repeat 400 # loop)
  (@repeat 489 #i local.get #i local.set 489 local.get 489 i32.const 1 i32.add local.set #i)
  (@repeat 400 # local.get 0 br_if 0 end))
