//! Shows what a policy costs: `smcp policy bench`.

use std::io;
use std::io::Write;
use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::headline::Mark;
use crate::style::Span;
use crate::style::Style;
use crate::table;
use crate::wrap::paragraph;
use smcp_model::bench::Change;
use smcp_model::bench::Figure;
use smcp_model::bench::Measurement;
use smcp_model::bench::Times;
use smcp_model::size::ByteSize;
use smcp_model::text::SafeText;

/// The name of the document, in any version.
pub const SCHEMA_NAME: &str = "smcp.bench/";
/// The document and its version.
pub const SCHEMA: &str = "smcp.bench/1";

/// What a measurement found.
#[derive(Debug)]
pub struct BenchReport<'a> {
    /// The policy's file, as the command line names it.
    pub file: SafeText,
    /// The figures.
    pub measurement: &'a Measurement,
    /// How they compare with others; `None` when that was not asked.
    pub comparison: Option<&'a Comparison>,
    /// The file that they are kept in, unless one has regressed; `None` when that was not asked.
    pub save: Option<SafeText>,
    /// How the program exits.
    pub exit_code: u8,
}

/// Figures beside those of a base.
#[derive(Debug)]
pub struct Comparison {
    /// The file of the base, as the command line names it.
    pub base: SafeText,
    /// By how many percent a figure may be above that of the base.
    pub tolerance: u16,
    /// Every figure.
    pub changes: Vec<Change>,
}

impl Comparison {
    /// Whether a figure is above that of the base by more than the tolerance.
    pub fn regressed(&self) -> bool {
        self.changes.iter().any(|change| change.regressed)
    }

    fn of(&self, figure: Figure) -> Option<&Change> {
        self.changes.iter().find(|change| change.figure == figure)
    }
}

/// Writes whether something regressed, and all figures.
///
/// # Errors
/// When the writer fails.
pub fn human(report: &BenchReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Measurement { policy, version, .. } = report.measurement;
    let policy = format!("{policy} {version} ({})", report.file);
    let regressed = |comparison: &Comparison| comparison.changes.iter().filter(|change| change.regressed).count();
    let (mark, headline) = match report.comparison.map(|comparison| (regressed(comparison), comparison)) {
        None => (Mark::Good, format!("measured: {policy}")),
        Some((0, Comparison { base, tolerance, .. })) => {
            (Mark::Good, format!("no figure is more than {tolerance}% above {base}: {policy}"))
        }
        Some((count, Comparison { base, tolerance, .. })) => {
            let figures = if count == 1 { "figure is" } else { "figures are" };
            (Mark::Bad, format!("{count} {figures} more than {tolerance}% above {base}: {policy}"))
        }
    };
    paragraph(out, &[mark.span(&style.palette), Span::plain(headline)], 0, 2, style.width)?;
    let verdict = [Span::new(verdict(report.measurement), style.palette.dim)];
    paragraph(out, &verdict, 2, 2, style.width)?;
    writeln!(out)?;
    times(report, out, style)?;
    writeln!(out)?;
    sizes(report, out, style)?;
    let Some(save) = &report.save else { return Ok(()) };
    writeln!(out)?;
    let words = match report.comparison.is_some_and(Comparison::regressed) {
        false => format!("kept in {save}"),
        true => format!("{save} is left as it is: figures that regressed are not kept"),
    };
    paragraph(out, &[Span::new("→", style.palette.dim), Span::plain(words)], 0, 2, style.width)
}

/// What the policy said of the facts.
fn verdict(measurement: &Measurement) -> String {
    let Measurement { violations, notices, .. } = measurement;
    let named = |codes: &[SafeText]| codes.iter().map(SafeText::as_str).collect::<Vec<_>>().join(", ");
    let verdict = if violations.is_empty() {
        "on facts that it allows".to_owned()
    } else {
        format!("on facts that it refuses: {}", named(violations))
    };
    if notices.is_empty() { verdict } else { format!("{verdict}; with remarks: {}", named(notices)) }
}

fn times(report: &BenchReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Measurement { load, first_call, warm_call, .. } = report.measurement;
    let row = |name: &str, times: &Times, figure| {
        let cells = [
            name.to_owned(),
            duration(times.minimum()),
            duration(times.median()),
            duration(times.p99()),
            times.count().to_string(),
        ];
        let cells = cells.iter().map(Span::plain);
        cells.chain(change(report, figure, |nanos| duration(Duration::from_nanos(nanos)), style)).collect::<Vec<_>>()
    };
    let rows = [
        row("load", load, Figure::Load),
        row("first call", first_call, Figure::FirstCall),
        row("warm call", warm_call, Figure::WarmCall),
    ];
    let headers = ["TIME", "MINIMUM", "MEDIAN", "P99", "COUNT", "BASE (MINIMUM)", "CHANGE"];
    table::table(out, style, shown(&headers, report), &rows)
}

fn sizes(report: &BenchReport<'_>, out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let Measurement { memory, memory_limit, compiled_size, component_size, .. } = report.measurement;
    let row = |name: &str, size: &u64, of: String, figure| {
        let cells = [name.to_owned(), ByteSize(*size).to_string(), of];
        let cells = cells.iter().map(Span::plain);
        cells.chain(change(report, figure, |bytes| ByteSize(bytes).to_string(), style)).collect::<Vec<_>>()
    };
    let rows = [
        row("memory of a call", memory, ByteSize(*memory_limit).to_string(), Figure::Memory),
        row("compiled code", compiled_size, String::new(), Figure::CompiledSize),
        row("component", component_size, String::new(), Figure::ComponentSize),
    ];
    table::table(out, style, shown(&["SIZE", "MOST", "LIMIT", "BASE", "CHANGE"], report), &rows)
}

/// The headers of the columns that there are: those of a comparison are the last two.
fn shown<'h>(headers: &'h [&'h str], report: &BenchReport<'_>) -> &'h [&'h str] {
    let without = headers.len().saturating_sub(2);
    if report.comparison.is_some() { headers } else { headers.get(..without).unwrap_or(headers) }
}

/// The cells of a comparison: what the figure was, and by how much it is another.
fn change(report: &BenchReport<'_>, figure: Figure, text: impl Fn(u64) -> String, style: &Style) -> Vec<Span> {
    let Some(change) = report.comparison.and_then(|comparison| comparison.of(figure)) else { return Vec::new() };
    let percent = match change.percent() {
        None => "from nothing".to_owned(),
        Some(0) => "0%".to_owned(),
        Some(percent) => format!("{percent:+}%"),
    };
    let (words, colour) = match change.regressed {
        true => (format!("{percent}, too much"), style.palette.bad),
        false => (percent, style.palette.dim),
    };
    vec![Span::plain(text(change.base)), Span::new(words, colour)]
}

/// A time in three digits or more: `0.8 µs`, `132.5 µs`, `1.21 ms`, `2.05 s`.
fn duration(time: Duration) -> String {
    let nanos = time.as_nanos();
    let hundredths = |unit: u128| {
        let hundredths = nanos.saturating_mul(100).checked_div(unit).unwrap_or_default();
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    match nanos {
        0..1_000_000 => format!("{}.{} µs", nanos / 1_000, nanos % 1_000 / 100),
        1_000_000..1_000_000_000 => format!("{} ms", hundredths(1_000_000)),
        _ => format!("{} s", hundredths(1_000_000_000)),
    }
}

/// The figures as the document that a file keeps.
pub fn figures(measurement: &Measurement) -> Value {
    let mut document = json!({"schema": SCHEMA});
    let fields = serde_json::to_value(measurement).ok();
    if let (Some(document), Some(Value::Object(fields))) = (document.as_object_mut(), fields) {
        document.extend(fields);
    }
    document
}

/// Returns the figures and how they compare as a document.
pub fn document(report: &BenchReport<'_>) -> Value {
    let change = |change: &Change| {
        let Change { figure, base, now, regressed } = change;
        let percent = change.percent().and_then(|percent| i64::try_from(percent).ok());
        json!({"figure": figure, "base": base, "now": now, "percent": percent, "regressed": regressed})
    };
    let comparison = |comparison: &Comparison| {
        let Comparison { base, tolerance, changes } = comparison;
        json!({
            "base": base,
            "tolerance_percent": tolerance,
            "regressed": comparison.regressed(),
            "figures": changes.iter().map(change).collect::<Vec<_>>(),
        })
    };
    let mut document = figures(report.measurement);
    if let Some(document) = document.as_object_mut() {
        document.insert("comparison".to_owned(), report.comparison.map_or(Value::Null, comparison));
        document.insert("exit_code".to_owned(), report.exit_code.into());
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use smcp_model::bench::Conditions;
    use smcp_model::digest::Digest;

    fn times(nanos: &[u64]) -> Times {
        Times::of(nanos.iter().copied().map(Duration::from_nanos).collect()).unwrap()
    }

    fn measurement() -> Measurement {
        Measurement {
            policy: "no-network".into(),
            version: "1.2.0".into(),
            digest: Digest::of(b"component"),
            conditions: Conditions {
                smcp: "0.1.0".into(),
                engine: Digest::of(b"engine"),
                architecture: "x86_64-linux".into(),
                settings: Digest::of(b"{}"),
                facts: Digest::of(b"{}"),
            },
            violations: vec!["network-unknown".into()],
            notices: Vec::new(),
            load: times(&[1_312_000, 1_250_500, 2_100_000]),
            first_call: times(&[212_040, 230_000, 250_000]),
            warm_call: times(&[18_930, 21_000, 999_999, 18_930]),
            memory: 1_179_648,
            memory_limit: 33_554_432,
            compiled_size: 262_144,
            component_size: 71_204,
        }
    }

    fn shown(comparison: Option<&Comparison>, save: Option<&str>) -> String {
        let measurement = measurement();
        let save = save.map(SafeText::new);
        let report = BenchReport { file: "no.wasm".into(), measurement: &measurement, comparison, save, exit_code: 0 };
        let mut out = Vec::new();
        human(&report, &mut out, &Style::default()).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn comparison(base: &Measurement) -> Comparison {
        Comparison { base: "base.json".into(), tolerance: 25, changes: measurement().against(base, 25) }
    }

    #[test]
    fn figures_are_shown() {
        insta::assert_snapshot!("bench", shown(None, Some("base.json")));
    }

    #[test]
    fn figures_are_shown_beside_others() {
        let near = Measurement { warm_call: times(&[20_000]), ..measurement() };
        insta::assert_snapshot!("bench_against", shown(Some(&comparison(&near)), None));
        let far = Measurement { warm_call: times(&[9_000]), memory: 0, component_size: 142_408, ..measurement() };
        insta::assert_snapshot!("bench_regressed", shown(Some(&comparison(&far)), Some("base.json")));
        let measurement = measurement();
        let far = comparison(&far);
        let report = BenchReport {
            file: "no.wasm".into(),
            measurement: &measurement,
            comparison: Some(&far),
            save: None,
            exit_code: 1,
        };
        insta::assert_snapshot!("bench_json", format!("{:#}", document(&report)));
    }

    #[test]
    fn times_are_cut_to_what_can_be_read() {
        for (nanos, expected) in [
            (0, "0.0 µs"),
            (850, "0.8 µs"),
            (999_999, "999.9 µs"),
            (1_000_000, "1.00 ms"),
            (12_345_678, "12.34 ms"),
            (2_059_999_999, "2.05 s"),
        ] {
            assert_eq!(duration(Duration::from_nanos(nanos)), expected);
        }
    }
}
