;; Seven functions, each with a branch that has as many ways to go as there may be.
(@repeat 7 #f (func $large#f (param $way i32) (block (br_table (@repeat 65000 # 0) (local.get $way)))))
