;; Streams between components.
(component (type $bytes (stream u8)) (core func (canon stream.new $bytes)))
