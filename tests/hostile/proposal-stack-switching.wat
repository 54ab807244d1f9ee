;; Continuations.
(component (core module (type $task (func)) (type $later (cont $task))
  (func (param (ref $later)) (resume $later (local.get 0)))))
