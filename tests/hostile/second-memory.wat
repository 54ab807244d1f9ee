;; A second memory, in an instance of its own.
(component (core module $memory (memory 1)) (core instance (instantiate $memory)))
