//! What hangs, in whichever place it can.

use crate::corpus::Row;
use crate::trial::HASTY;
use smcp_model::verdict::FaultKind;

pub(super) const ROWS: &[Row] = &[
    ("evaluate-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("describe-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("check-settings-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("start-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("realloc-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("post-return-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("describe-post-return-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("bulk-fill-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("call-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("branch-table-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("bulk-copies-in-a-row", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("bulk-fills-in-a-row", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("calls-without-end", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("check-settings-realloc-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("destructor-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("handles-made-and-dropped", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("memory-grow-zero-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("memory-init-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("spins-after-a-full-log", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("spins-between-parts", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("spins-in-a-part", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("spins-in-the-other-part", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("starts-in-a-row", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("strings-between-parts-spin", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("table-copy-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("table-fill-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("table-grow-zero-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("table-init-spins", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("tail-calls-in-a-ring", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
    ("tail-calls-spin", HASTY, FaultKind::Deadline, "ran longer than 150ms"),
];
