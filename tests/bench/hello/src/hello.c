/* What a process costs at all, without the start-up of Rust: one line. */
#include <stdio.h>

int main(void) { return puts("hello") < 0; }
