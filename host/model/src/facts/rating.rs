//! A package's ratings: its certification level and its scores.

use std::str::FromStr;

/// A certification level, 0 to 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u8")]
pub struct CertLevel(u8); // INVARIANT: at most `MAX`.

impl CertLevel {
    /// The highest level.
    pub const MAX: u8 = 3;
    /// The lowest level; as a minimum it excludes no package.
    pub const LOWEST: Self = Self(0);

    /// Returns a level; `None` when the number is outside 0 to 3. It is never clamped.
    pub fn new(number: impl TryInto<u8>) -> Option<Self> {
        number.try_into().ok().filter(|level| *level <= Self::MAX).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Its name for people (spec section 2).
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "Integrity Verified",
            1 => "Static Verified",
            2 => "Security Certified",
            _ => "Runtime Certified",
        }
    }
}

/// A security score, or one of its parts, 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "u8")]
pub struct Score(u8); // INVARIANT: at most `MAX`.

impl Score {
    /// The best score.
    pub const MAX: u8 = 100;
    /// The worst score; as a minimum it excludes no package.
    pub const LOWEST: Self = Self(0);
    /// Below this score a warning is shown, unless the configuration says otherwise. Level 2 requires this score.
    pub const WARNING_THRESHOLD: Self = Self(80);

    /// Returns a score; `None` when the number is outside 0 to 100. It is never clamped.
    pub fn new(number: impl TryInto<u8>) -> Option<Self> {
        number.try_into().ok().filter(|score| *score <= Self::MAX).map(Self)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The name of its range for people (spec section 7).
    pub const fn label(self) -> RiskLabel {
        match self.0 {
            0..40 => RiskLabel::Critical,
            40..60 => RiskLabel::High,
            60..80 => RiskLabel::Moderate,
            _ => RiskLabel::Low,
        }
    }
}

/// A value is not a whole number in the range of the rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number from 0 to {max}")]
pub struct RatingError {
    max: u8,
}

impl TryFrom<u8> for CertLevel {
    type Error = RatingError;

    fn try_from(number: u8) -> Result<Self, RatingError> {
        Self::new(number).ok_or(RatingError { max: Self::MAX })
    }
}

impl TryFrom<u8> for Score {
    type Error = RatingError;

    fn try_from(number: u8) -> Result<Self, RatingError> {
        Self::new(number).ok_or(RatingError { max: Self::MAX })
    }
}

impl FromStr for CertLevel {
    type Err = RatingError;

    fn from_str(text: &str) -> Result<Self, RatingError> {
        text.parse::<u64>().ok().and_then(Self::new).ok_or(RatingError { max: Self::MAX })
    }
}

impl FromStr for Score {
    type Err = RatingError;

    fn from_str(text: &str) -> Result<Self, RatingError> {
        text.parse::<u64>().ok().and_then(Self::new).ok_or(RatingError { max: Self::MAX })
    }
}

/// A named range of scores, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskLabel {
    /// Below 40.
    Critical,
    /// Below 60.
    High,
    /// Below 80.
    Moderate,
    /// 80 and above.
    Low,
}

impl RiskLabel {
    /// The words that are shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "Critical Risk",
            Self::High => "High Risk",
            Self::Moderate => "Moderate Risk",
            Self::Low => "Low Risk",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_clamped() {
        assert_eq!(CertLevel::new(3_u64).map(CertLevel::get), Some(3));
        for outside in [-100_i64, -1, 4, 100, 256, 300] {
            assert_eq!(CertLevel::new(outside), None);
        }
        assert_eq!(Score::new(100_u64).map(Score::get), Some(100));
        for outside in [-10_i64, -1, 101, 200, 256, 356] {
            assert_eq!(Score::new(outside), None);
        }
    }

    #[test]
    fn only_a_whole_number_in_range_is_a_rating() {
        assert_eq!(("3".parse::<CertLevel>(), "100".parse::<Score>()), (Ok(CertLevel(3)), Ok(Score(100))));
        for bad in ["", "-1", "101", "2.5", "0x1", "80 ", "eighty", "18446744073709551696"] {
            let (level, score) = (bad.parse::<CertLevel>().unwrap_err(), bad.parse::<Score>().unwrap_err());
            assert_eq!(level.to_string(), "expected a whole number from 0 to 3", "{bad}");
            assert_eq!(score.to_string(), "expected a whole number from 0 to 100", "{bad}");
        }
    }

    #[test]
    fn labels_change_at_their_bounds() {
        use RiskLabel::Critical;
        use RiskLabel::High;
        use RiskLabel::Low;
        use RiskLabel::Moderate;
        let labels = [0_u64, 39, 40, 59, 60, 79, 80, 100].map(|score| Score::new(score).unwrap().label());
        assert_eq!(labels, [Critical, Critical, High, High, Moderate, Moderate, Low, Low]);
    }
}
