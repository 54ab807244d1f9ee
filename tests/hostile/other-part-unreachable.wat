;; One part calls the other when it is started, and that one crashes.
(component
  (component $listener
    (core module $module
      (func (export "hear") unreachable))
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
      (func $go (call $say))
      (start $go))
    (core instance (instantiate $module (with "" (instance (export "say" (func $say)))))))
  (instance $listener (instantiate $listener))
  (instance (instantiate $speaker (with "hear" (func $listener "hear")))))
