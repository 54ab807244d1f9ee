;; Offers as the end of a call what takes another value than the call has given.
(component
  (core module $module (func (export "f") (result i32) (i32.const 0)) (func (export "after") (param f64)))
  (core instance $instance (instantiate $module))
  (func (result u32) (canon lift (core func $instance "f") (post-return (core func $instance "after")))))
