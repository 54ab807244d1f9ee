;; Two parts that do nothing but call each other, forever.
(component
  (component $listener
    (core module $module
      (func (export "hear")))
    (core instance $instance (instantiate $module))
    (func (export "hear") 
      (canon lift (core func $instance "hear"))))
  (component $speaker
    (import "hear" (func $hear ))
    (core module $store (memory (export "memory") 1))
    (core instance $store (instantiate $store))
    (core func $say (canon lower (func $hear) ))
    (core module $module
      (import "" "say" (func $say ))
      (func $go (loop $forever (call $say) (br $forever)))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
