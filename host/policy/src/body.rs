//! Counts in one function what costs a compiler far more than its bytes.

use wasmparser::BinaryReaderError;
use wasmparser::FunctionBody;
use wasmparser::Operator;

/// What one function has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct BodyCounts {
    /// Its loops.
    pub(super) loops: usize,
    /// Values that its loops may begin with: each loop has one for each local, parameters not included.
    pub(super) loop_values: usize,
    /// Instructions that work on whole ranges of memory or tables, or grow them: each becomes a call and a look at the
    /// clock.
    pub(super) bulk: usize,
    /// Ways that its tables of branches lead to.
    pub(super) branches: usize,
}

impl BodyCounts {
    /// Reads a function's instructions.
    ///
    /// # Errors
    /// When they can't be read.
    pub(super) fn of(body: &FunctionBody<'_>) -> Result<Self, BinaryReaderError> {
        let mut locals = 0_usize;
        for group in body.get_locals_reader()? {
            let (count, _) = group?;
            locals = locals.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        }
        let mut found = Self::default();
        for operator in body.get_operators_reader()? {
            found.count(&operator?);
        }
        found.loop_values = found.loops.saturating_mul(locals);
        Ok(found)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "most instructions cost what their bytes do")]
    fn count(&mut self, operator: &Operator<'_>) {
        match operator {
            Operator::Loop { .. } => self.loops = self.loops.saturating_add(1),
            Operator::BrTable { targets } => {
                self.branches = self.branches.saturating_add(usize::try_from(targets.len()).unwrap_or(usize::MAX));
            }
            Operator::MemoryFill { .. }
            | Operator::MemoryCopy { .. }
            | Operator::MemoryInit { .. }
            | Operator::MemoryGrow { .. }
            | Operator::TableFill { .. }
            | Operator::TableCopy { .. }
            | Operator::TableInit { .. }
            | Operator::TableGrow { .. } => self.bulk = self.bulk.saturating_add(1),
            _ => {}
        }
    }
}
