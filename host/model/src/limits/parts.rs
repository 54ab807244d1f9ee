//! Limits of what a component is made of, counted before compiling (spec 8).
//!
//! They are far above what the components of Go, Python and JavaScript have, and keep a compiler within hundreds of
//! megabytes for each. All at once can still be too much: that is bounded by the compiler's own limits.

const MIB: usize = 1024 * 1024;

/// Loops in one function: the interpreters of Python and JavaScript have up to four hundred. A compiler takes some
/// fifteen kilobytes for each, and time that grows with the square.
pub const LOOPS: usize = 4_000;
/// Loops of one function times its locals: each loop can begin with a value for each local, at one to two kilobytes of a
/// compiler's memory. The most that was found in interpreters is 48,000.
pub const LOOP_VALUES: usize = 200_000;
/// Bulk operations in one function: each is a call, and a look at the clock. Libraries have up to 130.
pub const BULK_OPERATIONS: usize = 10_000;
/// Ways in all tables of branches of a component: about a kilobyte of a compiler's memory each. Go has 100,000.
pub const BRANCHES: usize = 600_000;
/// Elements in the segments of all core instances together: two kilobytes of a compiler's memory each, and half a
/// microsecond of every start, during which no deadline is looked at. Languages with a runtime have 8,000.
pub const SEGMENT_ELEMENTS: usize = 100_000;
/// Data segments of all core instances together, for the same reason. A policy in Go has 42,000.
pub const DATA_SEGMENTS: usize = 200_000;
/// Bytes in the data segments of all core instances together: copied at every start, some 5 GiB in a second, during which
/// no deadline is looked at. Twice the largest file.
pub const INSTANCE_DATA: usize = 128 * MIB;
/// Instances of components in a component, those inside others multiplied: composed policies have a handful.
pub const COMPONENT_INSTANCES: usize = 1_000;
/// Globals of all core instances together, 16 bytes each: memory besides the linear ones. Python has 900.
pub const GLOBALS: usize = 65_536;
/// The memory of one global, bytes. It is taken off the memory that a policy may have, in whole pages.
pub const GLOBAL_SIZE: usize = 16;
/// A page of linear memory, bytes.
pub const PAGE: usize = 65_536;
/// Imports of all core instances together: each is a pointer or more in each instance. Python has 2,400.
pub const INSTANCE_IMPORTS: usize = 500_000;
/// Functions that parts of a component hand to one another, each of which the runtime writes code for, and which may
/// stand behind one another.
pub const LOWERED: usize = 1_000;
