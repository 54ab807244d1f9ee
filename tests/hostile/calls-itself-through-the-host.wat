;; Calls one of its own exported functions from inside of a call.
(component
  (core module $shim
    (table (export "table") 1 funcref)
    (type $call (func))
    (func (export "again") (call_indirect (type $call) (i32.const 0))))
  (core instance $shim (instantiate $shim))
  (core module $module
    (import "" "again" (func $again))
    (func (export "go") (call $again)))
  (core instance $instance (instantiate $module (with "" (instance (export "again" (func $shim "again"))))))
  (func $go (canon lift (core func $instance "go")))
  (core func $lowered (canon lower (func $go)))
  (core module $fix
    (import "" "table" (table 1 funcref))
    (import "" "lowered" (func $lowered))
    (elem (i32.const 0) func $lowered)
    (start $lowered))
  (core instance (instantiate $fix (with "" (instance
    (export "table" (table $shim "table")) (export "lowered" (func $lowered)))))))
