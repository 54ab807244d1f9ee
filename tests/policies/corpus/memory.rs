//! What takes memory or stack.

use crate::corpus::Row;
use crate::trial::PATIENT;
use smcp_model::verdict::FaultKind;

pub(super) const ROWS: &[Row] = &[
    ("memory-grows", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-at-once", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-in-start", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-initial", PATIENT, FaultKind::Memory, "33554432"),
    ("recursion", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-wide", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-in-realloc", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("memory-grows-by-minus-one", PATIENT, FaultKind::Memory, "281474976776192"),
    ("memory-grows-in-a-part", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-in-describe", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-in-post-return", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-grows-in-realloc", PATIENT, FaultKind::Memory, "33554432"),
    ("memory-in-many-parts", PATIENT, FaultKind::Memory, "33554432"),
    ("other-part-recurses", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-in-post-return", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-of-vectors", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-through-a-table", PATIENT, FaultKind::Stack, "524288 bytes"),
    ("recursion-with-huge-frames", PATIENT, FaultKind::Stack, "524288 bytes"),
];
