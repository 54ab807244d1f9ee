//! Minima, medians and other parts of a series.

/// The value below which this part of the series lies; NaN when it is empty.
pub(crate) fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let place = (values.len().saturating_sub(1) as f64 * part).round() as usize;
    values.get(place).copied().unwrap_or(f64::NAN)
}

pub(crate) fn minimum(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.0)
}

pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_value_of_the_series() {
        for (values, part, expected) in [
            (&[3.0, 1.0, 2.0][..], 0.0, 1.0),
            (&[3.0, 1.0, 2.0], 0.5, 2.0),
            (&[3.0, 1.0, 2.0], 0.9, 3.0),
            (&[5.0], 0.9, 5.0),
        ] {
            assert!((quantile(values.iter().copied(), part) - expected).abs() < f64::EPSILON, "{values:?} {part}");
        }
        assert!(median([]).is_nan());
    }
}
