//! Writes aligned text: columns under headers, and names beside values.
//!
//! Widths are columns of a terminal, not bytes. Lines have no spaces at the end.

use std::io;
use std::io::Write;

use crate::style::Span;
use crate::style::Style;
use crate::wrap::flow;

/// Spaces between columns.
pub(crate) const GAP: usize = 2;

/// The widths of a table's columns: each is that of the widest cell.
#[derive(Debug, Clone)]
pub struct ColumnWidths {
    widths: Vec<usize>,
}

impl ColumnWidths {
    /// Measures rows, which may have different numbers of cells.
    pub fn of<'r>(rows: impl IntoIterator<Item = &'r [Span]>) -> Self {
        let mut widths = Vec::new();
        for row in rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.width().max(*width);
            }
        }
        Self { widths }
    }

    /// Writes one row, `indent` spaces in.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn write_row(&self, out: &mut dyn Write, indent: usize, row: &[Span]) -> io::Result<()> {
        let mut missing = indent;
        for (cell, width) in row.iter().zip(&self.widths) {
            if cell.width() > 0 {
                write!(out, "{:missing$}{}{}{:#}", "", cell.style, cell.text, cell.style)?;
                missing = 0;
            }
            missing += width.saturating_sub(cell.width()) + GAP;
        }
        writeln!(out)
    }
}

/// Writes a table: dim headers, then rows.
///
/// # Errors
/// When the writer fails.
pub fn table(out: &mut dyn Write, style: &Style, headers: &[&str], rows: &[Vec<Span>]) -> io::Result<()> {
    let headers: Vec<Span> = headers.iter().map(|header| Span::new(header, style.palette.dim)).collect();
    let columns = ColumnWidths::of(std::iter::once(headers.as_slice()).chain(rows.iter().map(Vec::as_slice)));
    columns.write_row(out, 0, &headers)?;
    rows.iter().try_for_each(|row| columns.write_row(out, 0, row))
}

/// Writes names and values, the values aligned and wrapped, `indent` spaces in.
///
/// # Errors
/// When the writer fails.
pub fn fields(out: &mut dyn Write, style: &Style, indent: usize, fields: &[(&str, Span)]) -> io::Result<()> {
    let names: Vec<Span> = fields.iter().map(|(name, _)| Span::new(name, style.palette.dim)).collect();
    let value_column = indent + names.iter().map(Span::width).max().unwrap_or(0) + GAP;
    for (name, (_, value)) in names.iter().zip(fields) {
        let gap = value_column.saturating_sub(indent + name.width());
        write!(out, "{:indent$}{}{}{:#}{:gap$}", "", name.style, name.text, name.style, "")?;
        flow(out, std::slice::from_ref(value), value_column, value_column, style.width)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[&str]) -> Vec<Span> {
        cells.iter().map(Span::plain).collect()
    }

    #[test]
    fn columns_line_up_by_what_is_shown() {
        let mut out = Vec::new();
        let rows = [row(&["漢字", "x", ""]), row(&["a", "", "last"]), row(&["bold\u{1b}[1m", "y"])];
        table(&mut out, &Style::default(), &["NAME", "B", "C"], &rows).unwrap();
        let expected = "NAME           B  C\n漢字           x\na                 last\nbold\\u{1b}[1m  y\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn values_wrap_under_themselves() {
        let mut out = Vec::new();
        let style = Style { width: Some(30), ..Style::default() };
        let rows = [("name", Span::plain("acme/tool")), ("summary", Span::plain("one two three four five six"))];
        fields(&mut out, &style, 1, &rows).unwrap();
        let expected = " name     acme/tool\n summary  one two three four\n          five six\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
