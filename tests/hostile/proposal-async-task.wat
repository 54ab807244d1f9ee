;; Answers before it returns.
(component (core func (canon task.return)))
