;; The honest twin: exports the interface by the canonical ABI and allows every package.
;;
;; Every other file here has only the forms in which a hostile twin differs. A form of the same kind and name (`func
;; $evaluate`) replaces the one below, any other is added; COUNT is a number that the test fills in.
;;
;; Answers are data, laid out as the canonical ABI lays out the types of wit/policy.wit:
;;
;;   0x00    description: name, version, summary, settings-schema (pointer and length each), on-warn
;;   0x40    the answer of check-settings: discriminant, list of problems
;;   0x50    a problem: path, message
;;   0x60    verdict: list of violations, list of notices
;;   0x80    a finding: code, message, fact (discriminant, string), remedy (likewise), list of extensions
;;   0x100   texts
;;   0x10000 heap
(module
  (import "smcp:policy/logging@0.1.0" "log" (func $log (param $level i32) (param $text i32) (param $length i32)))
  (memory $memory 2)
  (global $free (mut i32) (i32.const 0x10000))

  (data $description (i32.const 0x00) (i32 0x100 6 0x110 5 0x120 25 0x140 2 1)) ;; on-warn: confirm
  (data $answer (i32.const 0x40) (i32 0 0 0))
  (data $problem (i32.const 0x50) (i32 0x150 6 0x160 21))
  (data $verdict (i32.const 0x60) (i32 0 0 0 0))
  (data $finding (i32.const 0x80) (i32 0x180 7 0x190 14 0 0 0 0 0 0 0 0))

  (data $name (i32.const 0x100) "honest")
  (data $version (i32.const 0x110) "1.0.0")
  (data $summary (i32.const 0x120) "It allows every package. ")
  (data $schema (i32.const 0x140) "{}")
  (data $path (i32.const 0x150) "/allow")
  (data $complaint (i32.const 0x160) "must be a list of /s/")
  (data $code (i32.const 0x180) "planted")
  (data $message (i32.const 0x190) "it was planted")
  (data $line (i32.const 0x1b0) "looked at it")

  (func $describe (result i32) (i32.const 0x00))
  (func $check-settings (param $settings i32) (param $length i32) (result i32) (i32.const 0x40))
  (func $evaluate (param $arguments i32) (result i32)
    (call $log (i32.const 1) (i32.const 0x1b0) (i32.const 12))
    (i32.const 0x60))

  (func $after-describe (param $answer i32))
  (func $after-check-settings (param $answer i32))
  (func $after-evaluate (param $answer i32))

  ;; Allocates and never frees: an instance lives for one call.
  (func $realloc (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (local $block i32)
    (local.set $block
      (i32.and
        (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
    (global.set $free (i32.add (local.get $block) (local.get $size)))
    (local.get $block))

  (export "memory" (memory $memory))
  (export "cabi_realloc" (func $realloc))
  (export "smcp:policy/evaluator@0.1.0#describe" (func $describe))
  (export "smcp:policy/evaluator@0.1.0#check-settings" (func $check-settings))
  (export "smcp:policy/evaluator@0.1.0#evaluate" (func $evaluate))
  (export "cabi_post_smcp:policy/evaluator@0.1.0#describe" (func $after-describe))
  (export "cabi_post_smcp:policy/evaluator@0.1.0#check-settings" (func $after-check-settings))
  (export "cabi_post_smcp:policy/evaluator@0.1.0#evaluate" (func $after-evaluate)))
