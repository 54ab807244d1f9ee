//! The relay, which stands between client and server when the model is warned: `host/benches/relay` measures it.

use crate::Result;
use crate::plan::Plan;
use crate::process::Call;

/// The columns of its table end here.
const COLUMNS: [usize; 4] = [38, 51, 72, 83];

/// A row of its table.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) smcp: String,
    pub(crate) without: String,
    /// The ratio, or the difference.
    pub(crate) reached: String,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Relay(pub(crate) Vec<Row>);

impl Relay {
    pub(crate) fn measure(plan: &Plan) -> Result<Self> {
        let thorough: &[&str] = if plan.quick { &[] } else { &["--bench"] };
        let table = Call::new(&plan.relay, thorough).set("PATH", "/usr/bin:/bin").output(&[0])?;
        Ok(Self(table.lines().skip(1).map(row).collect()))
    }

    /// The number that a row reached whose first words are these.
    pub(crate) fn reached(&self, what: &str) -> Option<f64> {
        let row = self.0.iter().find(|row| row.what.starts_with(what))?;
        row.reached.split(' ').next()?.parse().ok()
    }
}

fn row(line: &str) -> Row {
    let characters: Vec<_> = line.chars().collect();
    let cell = |from: usize, to: usize| -> String {
        let cell: String = characters.iter().skip(from).take(to - from).collect();
        cell.trim().to_owned()
    };
    let [first, second, third, fourth] = COLUMNS;
    Row { what: cell(0, first), smcp: cell(first, second), without: cell(second, third), reached: cell(third, fourth) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_taken_apart() {
        let line = format!(
            "{:<38} {:>12} {:>20} {:>10}  {}",
            "a round trip, median", "25.1 µs", "nothing: 12.0 µs", "13.1 µs", "under"
        );
        let row = row(&line);
        assert_eq!([row.what, row.smcp, row.without], ["a round trip, median", "25.1 µs", "nothing: 12.0 µs"]);
        assert_eq!(row.reached, "13.1 µs");
    }
}
