;; Five thousand loops in one function, three bytes each for the file, and kilobytes each for a compiler.
(func $large (@repeat 5000 # loop end ))
