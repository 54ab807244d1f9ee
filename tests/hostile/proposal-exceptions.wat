;; Throws and catches.
(component (core module (tag $thrown) (func (block $caught (try_table (catch_all $caught) (throw $thrown))))))
