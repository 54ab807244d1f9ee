;; A function with more than a thousand results.
(component (core module (type (func (result (@repeat 1001 # i32))))))
