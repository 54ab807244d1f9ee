;; Fifty parts, each of which starts in a few milliseconds and ends: the deadline is for all of them.
(component
  (core module $module
    (func $count
      (local $left i32)
      (local.set $left (i32.const 40000000))
      (loop $more (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))
    (start $count))
  (@repeat 50 # (core instance (instantiate $module))))
