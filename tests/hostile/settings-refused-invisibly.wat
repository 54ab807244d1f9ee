;; Refuses its settings, with a reason made of variation selectors.
(data $answer (i32.const 0x40) (i32 1 0x50 1))
(data $complaint (i32.const 0x160) "\ef\b8\8f\ef\b8\8f\ef\b8\8f\ef\b8\8f\ef\b8\8f\ef\b8\8f\ef\b8\8f")
