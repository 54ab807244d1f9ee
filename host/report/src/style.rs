//! How output looks: colours or none, lines wrapped or whole.
//!
//! The caller decides once, from its flags and its terminals; every renderer takes the [`Style`] it is given.

use anstyle::AnsiColor;
use anstyle::Effects;

use smcp_model::text::SafeText;

/// When to colour: the value of `--color`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Also in a pipe; an explicit flag is stronger than `NO_COLOR`.
    Always,
    /// Nowhere.
    Never,
}

/// The few colours there are, by meaning. The sixteen of the terminal's own theme, so that they can be read on it.
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
    /// What a line is about.
    pub strong: anstyle::Style,
    /// Labels and what matters least.
    pub dim: anstyle::Style,
}

impl Palette {
    /// No colours: not one escape sequence.
    pub fn plain() -> Self {
        Self::default()
    }

    /// Colours.
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

    /// Colours or none, by what the user chose and where the output goes. `no_color` is whether `NO_COLOR` is set.
    pub fn for_choice(choice: ColorChoice, is_terminal: bool, no_color: bool) -> Self {
        let coloured = match choice {
            ColorChoice::Auto => is_terminal && !no_color,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        if coloured { Self::coloured() } else { Self::plain() }
    }
}

/// How one stream's output looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    /// Its colours.
    pub palette: Palette,
    /// Columns of a line; `None` never wraps, so that a pipe finds every message whole.
    pub width: Option<usize>,
}

impl Style {
    /// Whether there are colours in it.
    pub fn is_coloured(&self) -> bool {
        self.palette != Palette::plain()
    }

    /// Columns that are used at most, and of a terminal whose width nobody knows: longer lines are hard to read.
    pub const MAX_WIDTH: usize = 100;

    /// The look for a stream: wrapped on a terminal, as wide as that has `columns`; whole lines in a pipe; coloured as
    /// [`Palette::for_choice`] says.
    pub fn for_stream(choice: ColorChoice, is_terminal: bool, columns: Option<usize>, no_color: bool) -> Self {
        let width = columns.unwrap_or(Self::MAX_WIDTH).min(Self::MAX_WIDTH);
        Self { palette: Palette::for_choice(choice, is_terminal, no_color), width: is_terminal.then_some(width) }
    }
}

/// A piece of text that is safe to show, and how it looks.
#[derive(Debug, Clone)]
pub struct Span {
    /// What it says.
    pub text: SafeText,
    /// How it looks.
    pub style: anstyle::Style,
}

impl Span {
    /// Text in a style. Whatever the text is, it is made harmless here.
    pub fn new(text: impl AsRef<str>, style: anstyle::Style) -> Self {
        Self { text: SafeText::new(text.as_ref()), style }
    }

    /// Text as it is.
    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, anstyle::Style::new())
    }

    /// Columns that the text takes on a terminal.
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
