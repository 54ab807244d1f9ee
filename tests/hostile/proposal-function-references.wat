;; Calls through typed references.
(component (core module (type $task (func)) (func (param (ref $task)) (call_ref $task (local.get 0)))))
