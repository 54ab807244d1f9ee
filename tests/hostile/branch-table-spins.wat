;; A loop that goes on through a table of branches, of which all lead back.
(func $evaluate (param $arguments i32) (result i32)
  (local $round i32)
  (loop $first
    (loop $second
      (local.set $round (i32.add (local.get $round) (i32.const 1)))
      (br_table $first $second $first (i32.and (local.get $round) (i32.const 3)))))
  (unreachable))
