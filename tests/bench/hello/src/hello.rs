//! What a process costs at all: one line.

fn main() {
    println!("hello");
}
