;; Seven memories of 5 MiB: each is little, and all are more than there may be.
(component
  (core module $memory (memory 80))
  (@repeat 7 # (core instance (instantiate $memory))))
