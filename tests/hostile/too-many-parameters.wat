;; A function with more than a thousand parameters.
(component (core module (type (func (param (@repeat 1001 # i32))))))
