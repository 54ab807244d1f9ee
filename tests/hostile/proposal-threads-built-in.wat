;; Asks how many threads there are.
(component (core func (canon thread.available_parallelism)))
