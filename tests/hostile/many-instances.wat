;; A hundred core instances, by components in components.
(component
  (component $ten
    (core module $empty)
    (@repeat 10 # (core instance (instantiate $empty))))
  (component $hundred
    (alias outer 1 0 (component $ten))
    (@repeat 10 # (instance (instantiate $ten))))
  (instance (instantiate $hundred)))
