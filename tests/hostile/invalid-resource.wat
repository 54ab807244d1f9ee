;; A resource that is represented by what can't be a handle.
(component (type (resource (rep f64))))
