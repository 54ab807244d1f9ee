;; Twenty thousand loops in one function, forty bytes each for the file, and kilobytes each for a compiler.
(func $large (@repeat 20000 # loop end ))
