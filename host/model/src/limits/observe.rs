//! Limits of what is noted of a server that is observed.

/// Different paths, or addresses, that are noted: those of a large server of Node are a tenth of it.
pub const PATHS: usize = 65_536;
/// Files of one folder that are listed one by one; beyond that the folder is.
pub const SIBLINGS: usize = 8;
/// Paths that a remark names; the others are counted.
pub const SHOWN: usize = 5;
