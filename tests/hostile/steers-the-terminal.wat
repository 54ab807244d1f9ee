;; Text that would clear the screen, turn it red, make a link, reverse the line and forge another.
(data $code (i32.const 0x180) "planted")
(data $message (i32.const 0x200) "\1b[2J\1b[31mred \1b]8;;http://x\07link \e2\80\aelive \c2\9bcsi\00\0d\0asmcp: allowed")
(data $finding (i32.const 0x80) (i32 0x180 7 0x200 61 1 0x200 61 1 0x200 61 0x300 1))
(data $extension (i32.const 0x300) (i32 0x200 61 0x200 61))
(data $verdict (i32.const 0x60) (i32 0x80 1 0x80 1))
