;; A reason without visible characters: shorthand and musical formats, a null notehead, a Khitan filler, a tag.
(data $message (i32.const 0x190) "\f0\9b\b2\a0\f0\9d\85\b3\f0\9d\85\99\f0\96\bf\a4\f3\a0\81\81")
(data $finding (i32.const 0x80) (i32 0x180 7 0x190 20 0 0 0 0 0 0 0 0))
(data $verdict (i32.const 0x60) (i32 0x80 1 0 0))
