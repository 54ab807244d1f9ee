//! The style of output: its colours, and the width at which lines wrap.
//!
//! The caller chooses a [`Style`] once, from its flags and terminals, and passes it to every renderer.

use anstyle::AnsiColor;
use anstyle::Effects;

use smcp_model::text::SafeText;

/// When to use colours: the value of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also in a pipe; an explicit flag is stronger than `NO_COLOR`.
    Always,
    /// Not at all.
    Never,
}

/// The colours, by meaning. They are from the sixteen of the terminal's theme, so that they are readable on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Palette {
    /// Allowed, low risk.
    pub good: anstyle::Style,
    /// A warning, moderate risk, unknown.
    pub caution: anstyle::Style,
    /// High risk.
    pub risk: anstyle::Style,
    /// A question.
    pub question: anstyle::Style,
    /// Refused, critical risk.
    pub bad: anstyle::Style,
    /// The subject of a line.
    pub strong: anstyle::Style,
    /// Labels, and details that matter least.
    pub dim: anstyle::Style,
}

impl Palette {
    /// Returns a palette without colours, which writes no escape sequence.
    pub fn plain() -> Self {
        Self::default()
    }

    /// Returns a palette with colours.
    pub const fn coloured() -> Self {
        Self {
            good: AnsiColor::Green.on_default(),
            caution: AnsiColor::Yellow.on_default(),
            risk: AnsiColor::Red.on_default(),
            question: AnsiColor::Cyan.on_default().effects(Effects::BOLD),
            bad: AnsiColor::Red.on_default().effects(Effects::BOLD),
            strong: anstyle::Style::new().effects(Effects::BOLD),
            dim: anstyle::Style::new().effects(Effects::DIMMED),
        }
    }

    /// Returns the palette for the user's choice and the output's target. `no_color` is whether `NO_COLOR` is set.
    pub fn for_choice(choice: ColorChoice, is_terminal: bool, no_color: bool) -> Self {
        let coloured = match choice {
            ColorChoice::Auto => is_terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        if coloured { Self::coloured() } else { Self::plain() }
    }
}

/// The style of one stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Its colours.
    pub palette: Palette,
    /// The most columns of a line; `None` never wraps, so that every message is one line in a pipe.
    pub width: Option<usize>,
}

impl Style {
    /// Whether it has colours.
    pub fn is_coloured(&self) -> bool {
        self.palette != Palette::plain()
    }

    /// The most columns of a line, since longer ones are hard to read; also the width of a terminal that reports none.
    pub const MAX_WIDTH: usize = 100;

    /// Returns the style for a stream: lines wrap at `columns` on a terminal, and not in a pipe. Colours are those of
    /// [`Palette::for_choice`].
    pub fn for_stream(choice: ColorChoice, is_terminal: bool, columns: Option<usize>, no_color: bool) -> Self {
        let width = columns.unwrap_or(Self::MAX_WIDTH).min(Self::MAX_WIDTH);
        Self { palette: Palette::for_choice(choice, is_terminal, no_color), width: is_terminal.then_some(width) }
    }
}

/// A piece of text that is safe to show, and its style.
#[derive(Debug, Clone)]
pub struct Span {
    /// The text.
    pub text: SafeText,
    /// Its style.
    pub style: anstyle::Style,
}

impl Span {
    /// Returns text in a style; unsafe characters are escaped here.
    pub fn new(text: impl AsRef<str>, style: anstyle::Style) -> Self {
        Self { text: SafeText::new(text.as_ref()), style }
    }

    /// Returns text without a style.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, anstyle::Style::new())
    }

    /// Returns the width of the text on a terminal, columns.
    pub fn width(&self) -> usize {
        unicode_width::UnicodeWidthStr::width(self.text.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_follow_the_flag_then_no_color_then_the_terminal() {
        let cases = [
            (ColorChoice::Auto, true, false, true),
            (ColorChoice::Auto, true, true, false),
            (ColorChoice::Auto, false, false, false),
            (ColorChoice::Auto, false, true, false),
            (ColorChoice::Always, false, true, true),
            (ColorChoice::Always, true, false, true),
            (ColorChoice::Never, true, false, false),
            (ColorChoice::Never, false, true, false),
        ];
        for (choice, is_terminal, no_color, coloured) in cases {
            let expected = if coloured { Palette::coloured() } else { Palette::plain() };
            assert_eq!(
                Palette::for_choice(choice, is_terminal, no_color),
                expected,
                "{choice:?} {is_terminal} {no_color}"
            );
        }
    }

    #[test]
    fn only_a_terminal_wraps() {
        let width = |is_terminal, columns| Style::for_stream(ColorChoice::Never, is_terminal, columns, false).width;
        assert_eq!((width(false, None), width(false, Some(80))), (None, None));
        assert_eq!(
            (width(true, None), width(true, Some(80)), width(true, Some(200))),
            (Some(100), Some(80), Some(100))
        );
    }
}
