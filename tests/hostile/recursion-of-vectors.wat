;; Recurses with vectors of 16 bytes that are needed after it.
(func $deeper (param v128 v128 v128 v128) (result v128)
  (i64x2.add (local.get 0)
    (i64x2.add (call $deeper (local.get 1) (local.get 2) (local.get 3) (local.get 0)) (local.get 1))))
(func $evaluate (param $arguments i32) (result i32)
  (local $vector v128)
  (i32x4.extract_lane 0
    (call $deeper (local.get $vector) (local.get $vector) (local.get $vector) (local.get $vector))))
