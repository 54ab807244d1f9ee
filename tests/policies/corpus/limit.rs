//! What floods the host, makes too many of a thing, or uses what is not its own.

use crate::corpus::Row;
use crate::corpus::TWO_MEMORIES;
use crate::trial::PATIENT;
use smcp_model::verdict::FaultKind;

pub(super) const ROWS: &[Row] = &[
    ("log-level-discriminant", PATIENT, FaultKind::Limit, "unexpected discriminant: 77"),
    ("log-out-of-bounds", PATIENT, FaultKind::Limit, "out of bounds of memory"),
    ("log-utf8-invalid", PATIENT, FaultKind::Limit, "invalid utf-8"),
    ("log-flood", PATIENT, FaultKind::Limit, "more than 200 lines or 65536 bytes"),
    ("log-one-huge-line", PATIENT, FaultKind::Limit, "too much data"),
    ("table-grows", PATIENT, FaultKind::Limit, "one may have 20000"),
    ("many-instances", PATIENT, FaultKind::Limit, "more than 64 core instances"),
    ("adapter-between-parts", TWO_MEMORIES, FaultKind::Limit, "it has 3 linear memories in all its parts"),
    ("many-memories", PATIENT, FaultKind::Limit, "it has 9 linear memories in all its parts, and a policy may have 8"),
    ("handles-in-start", PATIENT, FaultKind::Limit, "a call from inside it was refused: "),
    ("adapter-utf8-invalid", PATIENT, FaultKind::Limit, "invalid utf8 encoding"),
    ("borrow-kept", PATIENT, FaultKind::Limit, "borrow handles still remain at the end of the call"),
    ("globals-in-many-parts", PATIENT, FaultKind::Limit, "it has 120001 globals in all its parts"),
    ("globals-without-end", PATIENT, FaultKind::Limit, "it has 66001 globals in all its parts"),
    ("handle-dropped-twice", PATIENT, FaultKind::Limit, "unknown handle index 1"),
    ("handle-forged", PATIENT, FaultKind::Limit, "unknown handle index 77"),
    ("handle-of-another-type", PATIENT, FaultKind::Limit, "found a different guest-defined resource"),
    ("lent-and-given-away", PATIENT, FaultKind::Limit, "cannot remove owned resource while borrowed"),
    ("log-in-describe", PATIENT, FaultKind::Limit, "it logged more than 200 lines or 65536 bytes"),
    ("log-level-negative", PATIENT, FaultKind::Limit, "unexpected discriminant: 259"),
    ("log-of-nothing", PATIENT, FaultKind::Limit, "it logged more than 200 lines or 65536 bytes"),
    ("many-tables", PATIENT, FaultKind::Limit, "it has 10 tables in all its parts"),
    ("table-grows-at-once", PATIENT, FaultKind::Limit, "a table of 4294967295 elements"),
    ("table-grows-in-a-part", PATIENT, FaultKind::Limit, "a table of 21000 elements"),
    ("tower-by-exports", PATIENT, FaultKind::Limit, "it has 10003 core instances"),
    ("tower-of-empty-parts", PATIENT, FaultKind::Limit, "it has 1111113 instances of components"),
    ("tower-of-parts", PATIENT, FaultKind::Limit, "it has 100000003 core instances"),
];
