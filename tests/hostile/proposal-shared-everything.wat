;; A function that may run on several threads.
(component (core module (type (shared (func)))))
