;; A value that comes later.
(component (type $later (future u32)) (core func (canon future.new $later)))
