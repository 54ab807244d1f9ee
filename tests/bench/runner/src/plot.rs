//! Bars, as SVG: one for each case, as long as its minimum, with a mark at its median.
//!
//! The picture has its own ground in light and in dark, since a page can't say on which it will be shown.

use std::fmt::Write as _;

/// Lengths in the picture, pixels.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 290.0;
const RIGHT: f64 = 130.0;
const HEAD: f64 = 58.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
const FOOT: f64 = 12.0;

const STYLE: &str = "\
.ground { fill: #ffffff; stroke: #d0d7de } text { font: 13px sans-serif; fill: #1f2328 } .title { font-weight: bold; font-size: 15px }
.note { fill: #59636e } .other { fill: #8c959f } .ours { fill: #0969da } .mark { stroke: #1f2328; stroke-width: 2 }
@media (prefers-color-scheme: dark) { .ground { fill: #0d1117; stroke: #3d444d } text { fill: #f0f6fc } .note { fill: #9198a1 }
.other { fill: #656c76 } .ours { fill: #4493f8 } .mark { stroke: #f0f6fc } }";

/// A bar.
#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: String,
    /// Its length: the minimum.
    pub(crate) figure: f64,
    /// Where the mark is.
    pub(crate) median: f64,
}

/// Draws bars; `unit` stands behind each figure. Those of smcp have another colour.
pub(crate) fn draw(title: &str, note: &str, unit: &str, bars: &[Bar]) -> String {
    let height = HEAD + ROW * bars.len() as f64 + FOOT;
    let most = bars.iter().map(|bar| bar.figure.max(bar.median)).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - LEFT - RIGHT) / most;
    let mut rows = String::new();
    for (number, bar) in bars.iter().enumerate() {
        let top = HEAD + ROW * number as f64;
        let base = top + BAR - 3.0;
        let (length, mark) = (bar.figure * scale, LEFT + bar.median * scale);
        let class = if bar.name.contains("smcp") { "ours" } else { "other" };
        let behind = LEFT + length.max(bar.median * scale) + 8.0;
        let _infallible = write!(
            rows,
            r#"<text x="{x:.1}" y="{base:.1}" text-anchor="end">{name}</text>
<rect class="{class}" x="{LEFT:.1}" y="{top:.1}" width="{length:.1}" height="{BAR:.1}" rx="2"/>
<line class="mark" x1="{mark:.1}" x2="{mark:.1}" y1="{top:.1}" y2="{bottom:.1}"/>
<text x="{behind:.1}" y="{base:.1}">{figure} / {median} {unit}</text>
"#,
            x = LEFT - 10.0,
            name = escaped(&bar.name.replace('`', "")),
            bottom = top + BAR,
            figure = shown(bar.figure),
            median = shown(bar.median),
        );
    }
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
<title>{title}</title>
<style>{STYLE}</style>
<rect class="ground" x="0.5" y="0.5" width="{w}" height="{h}" rx="6"/>
<text class="title" x="16" y="25">{title}</text>
<text class="note" x="16" y="44">{note}</text>
{rows}</svg>
"#,
        w = WIDTH - 1.0,
        h = height - 1.0,
        title = escaped(title),
        note = escaped(note),
    )
}

/// A figure with as many places as say something.
pub(crate) fn shown(figure: f64) -> String {
    match figure.abs() {
        size if !size.is_finite() => "–".to_owned(),
        size if size < 10.0 => format!("{figure:.2}"),
        size if size < 100.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_bar_fills_the_room_and_the_others_are_in_proportion() {
        let bar = |name: &str, figure| Bar { name: name.to_owned(), figure, median: figure };
        let drawn = draw("a < b", "", "ms", &[bar("`smcp`", 20.0), bar("other", 5.0)]);
        let room = WIDTH - LEFT - RIGHT;
        for part in [
            format!(r#"class="ours" x="290.0" y="58.0" width="{room:.1}""#),
            format!(r#"class="other" x="290.0" y="84.0" width="{:.1}""#, room / 4.0),
            ">20.0 / 20.0 ms<".to_owned(),
            ">5.00 / 5.00 ms<".to_owned(),
            ">smcp<".to_owned(),
            "<title>a &lt; b</title>".to_owned(),
        ] {
            assert!(drawn.contains(&part), "{part} is missing in {drawn}");
        }
    }

    #[test]
    fn a_figure_has_three_places() {
        for (figure, expected) in
            [(0.1234, "0.12"), (9.876, "9.88"), (43.21, "43.2"), (1234.5, "1234"), (f64::NAN, "–")]
        {
            assert_eq!(shown(figure), expected);
        }
    }
}
