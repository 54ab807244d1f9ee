;; A module that exports a name twice.
(component (core module (func $f) (export "f" (func $f)) (export "f" (func $f))))
