;; Sixty instances of a module that imports nine thousand functions: each has a list of them.
(component
  (core module $one (func (export "f")))
  (core instance $one (instantiate $one))
  (alias core export $one "f" (core func $f))
  (core instance $all (@repeat 9000 #i (export "f#i" (func $f))))
  (core module $module (@repeat 9000 #i (import "" "f#i" (func))))
  (@repeat 60 # (core instance (instantiate $module (with "" (instance $all))))))
