;; Functions, elements and branches, each a little below their limits, which are more together than one of them.
(@repeat 45000 # (func))
(elem $segment func (@repeat 94000 # 0))
(@repeat 6 #f (func (param $way i32) (block (br_table (@repeat 65000 # 0) (local.get $way)))))
