;; Hangs in a component inside of a component, when that is started.
(component
  (component $inner
    (core module $module
      (func $hang (loop $forever (br $forever)))
      (start $hang))
    (core instance (instantiate $module)))
  (instance (instantiate $inner)))
