;; A thousand core instances, by components in components.
(component
  (component $ten
    (core module $empty)
    (core instance (instantiate $empty)) (core instance (instantiate $empty))
    (core instance (instantiate $empty)) (core instance (instantiate $empty))
    (core instance (instantiate $empty)) (core instance (instantiate $empty))
    (core instance (instantiate $empty)) (core instance (instantiate $empty))
    (core instance (instantiate $empty)) (core instance (instantiate $empty)))
  (component $hundred
    (alias outer 1 0 (component $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)))
  (instance (instantiate $hundred)) (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)) (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)) (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)))
