;; Eight memories more, each in an instance of its own.
(component
  (core module $memory (memory 1))
  (core instance (instantiate $memory)) (core instance (instantiate $memory)) (core instance (instantiate $memory))
  (core instance (instantiate $memory)) (core instance (instantiate $memory)) (core instance (instantiate $memory))
  (core instance (instantiate $memory)) (core instance (instantiate $memory)))
