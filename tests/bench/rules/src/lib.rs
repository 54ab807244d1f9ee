//! The three checks in plain Rust, with the settings of the bench in place.
//!
//! `runner/src/world.rs` has the same settings as a configuration of smcp, `rego/checks.rego` and `cedar/checks.cedar` the
//! same checks in other languages; that all of them say the same is tried before anything is measured.

/// What a check is told; everything else of a facts document is left alone.
#[derive(Debug, serde::Deserialize)]
pub struct Facts {
    /// Who stands behind the package.
    pub origin: Option<String>,
    /// The certification level, 0 to 3.
    pub cert_level: Option<u8>,
    /// The security score, 0 to 100.
    pub score: Option<u8>,
}

const ALLOWED_ORIGINS: [&str; 2] = ["official", "verified"];
const MIN_CERT_LEVEL: u8 = 2;
const MIN_SCORE: u8 = 70;

/// Returns the codes of what the facts violate; none when the package may run.
pub fn violations(facts: &Facts) -> Vec<&'static str> {
    let mut found = Vec::new();
    match facts.origin.as_deref().map(str::trim).filter(|origin| !origin.is_empty()) {
        None => found.push("origin-unknown"),
        Some(origin) if ALLOWED_ORIGINS.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)) => {}
        Some(_) => found.push("origin-not-allowed"),
    }
    match facts.cert_level {
        None => found.push("cert-level-unknown"),
        Some(level) if level < MIN_CERT_LEVEL => found.push("cert-level-below-minimum"),
        Some(_) => {}
    }
    if let (Some(level), Some(score)) = (facts.cert_level, facts.score)
        && score < required(level)
    {
        found.push("cert-score-mismatch");
    }
    match facts.score {
        None => found.push("score-unknown"),
        Some(score) if score < MIN_SCORE => found.push("score-below-minimum"),
        Some(_) => {}
    }
    found
}

/// The score that a certification level itself requires.
fn required(level: u8) -> u8 {
    match level {
        0 => 0,
        1 => 60,
        2 => 80,
        _ => 90,
    }
}

/// Writes an origin as Cedar's policies expect it, because Cedar has no function that changes the case of a text.
pub fn folded(origin: &str) -> Option<String> {
    let origin = origin.trim();
    (!origin.is_empty()).then(|| origin.to_ascii_lowercase())
}
