;; A set of thirty-three flags.
(component (type (flags (@repeat 33 #i "flag-#i" ))))
