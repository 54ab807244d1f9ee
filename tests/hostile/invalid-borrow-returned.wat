;; A function that returns what it was lent.
(component (type $thing (resource (rep i32))) (type (func (result (borrow $thing)))))
