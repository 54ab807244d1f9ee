;; A module that starts with a function that wants a parameter.
(component (core module (func $wants (param i32)) (start $wants)))
