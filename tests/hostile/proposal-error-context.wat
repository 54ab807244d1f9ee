;; Errors as handles.
(component (core module $memory (memory (export "memory") 1)) (core instance $instance (instantiate $memory))
  (core func (canon error-context.new (memory (core memory $instance "memory")))))
