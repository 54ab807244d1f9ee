;; A thousand loops in one another, in each of which a thousand locals change: a million values.
(func $large (local (@repeat 1000 # i32 ))
  (@repeat 1000 # loop )
  (@repeat 999 #i local.get #i local.set 999 local.get 999 i32.const 1 i32.add local.set #i )
  (@repeat 1000 # local.get 0 br_if 0 end ))
