;; Makes handles of a resource forever, before any of its functions can be called.
(component
  (type $thing (resource (rep i32)))
  (core func $new (canon resource.new $thing))
  (core module $greedy
    (import "" "new" (func $new (param i32) (result i32)))
    (func $make (loop $more (drop (call $new (i32.const 1))) (br $more)))
    (start $make))
  (core instance (instantiate $greedy (with "" (instance (export "new" (func $new)))))))
